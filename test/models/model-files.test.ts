import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashModelFiles } from '../../dist/src/models/model-files.js';

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdout-test-'));
});
afterEach(async () => rm(folder, { recursive: true }));

describe("a model's files", () => {
  it('are all hashed, in the order of their paths; the pin and Git are not', async () => {
    await mkdir(join(folder, 'sub'));
    await mkdir(join(folder, '.git'));
    for (const name of ['b.bin', 'sub/a.json', 'holdout.pin.json', '.git/HEAD']) {
      await writeFile(join(folder, name), name);
    }
    expect(await hashModelFiles(folder)).toEqual([
      { path: 'b.bin', sha256: sha256('b.bin'), bytes: 5, of: 'file' },
      { path: 'sub/a.json', sha256: sha256('sub/a.json'), bytes: 10, of: 'file' },
    ]);
  });

  it('count the card without its front matter', async () => {
    await writeFile(join(folder, 'README.md'), '---\nlicense: mit\n---\n# Model\n');
    expect(await hashModelFiles(folder)).toEqual([
      { path: 'README.md', sha256: sha256('# Model\n'), bytes: 8, of: 'body' },
    ]);
  });

  it('may be links inside the folder, but not out of it', async () => {
    await writeFile(join(folder, 'a'), 'a');
    await symlink('a', join(folder, 'b'));
    expect((await hashModelFiles(folder)).map((file) => file.path)).toEqual(['a', 'b']);
    await symlink('/etc/hostname', join(folder, 'c'));
    await expect(hashModelFiles(folder)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('may not lead in a circle', async () => {
    await mkdir(join(folder, 'sub'));
    await symlink('..', join(folder, 'sub', 'up'));
    await expect(hashModelFiles(folder)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
