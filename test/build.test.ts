import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

it('a build leaves nothing in dist whose source is gone, and all that has one', () => {
  const made = readdirSync(`${root}dist`, { recursive: true }).length;
  const stale = ['stale-for-a-test.js', 'stale-for-a-test.js.map', 'stale-for-a-test.d.ts'].map(
    (n) => `${root}dist/${n}`,
  );
  for (const path of stale) writeFileSync(path, '');
  execFileSync(process.execPath, [`${root}.ci/finish-build.mjs`]);
  expect(stale.filter((path) => existsSync(path))).toEqual([]);
  expect(readdirSync(`${root}dist`, { recursive: true })).toHaveLength(made);
  expect(statSync(`${root}dist/cli/main.js`).mode & 0o111).toBe(0o111);
});
