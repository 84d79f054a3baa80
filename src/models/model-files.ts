/**
 * The files of a model's folder by digest: every file counts, since any of them (weights, tokenizer, template,
 * generation config) can change what the model says.
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { PinnedFile } from '../../schemas/pin.ts';
import { HoldoutError } from '../errors.ts';
import { cardBody } from './model-card.ts';

/** The pin's own file; a file cannot hold its own digest. */
export const pinFileName = 'holdout.pin.json';
/** The Hugging Face card. */
export const cardFileName = 'README.md';
/** Folders of tools, which change without the model changing. */
const foldersNotPinned: readonly string[] = ['.git', '.holdout', '.cache/huggingface'];

/**
 * Digest and size of every file under a model's folder, by path. Symbolic links are followed where they stay inside.
 * @throws HoldoutError NOT_FOUND without the folder; INPUT_INVALID for links that leave it and for things that are
 * neither file nor folder.
 */
export async function hashModelFiles(
  modelDir: string,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<PinnedFile[]> {
  const { files, refused } = await surveyModelFiles(modelDir, onProgress);
  const [first] = refused;
  if (first !== undefined) throw first.error;
  return files;
}

/** What cannot be pinned, and why. */
interface RefusedFile {
  readonly path: string;
  readonly error: HoldoutError;
}

/** As `hashModelFiles`, but names what cannot be pinned beside the rest. @throws HoldoutError NOT_FOUND, INPUT_INVALID. */
export async function surveyModelFiles(
  modelDir: string,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<{ readonly files: PinnedFile[]; readonly refused: readonly RefusedFile[] }> {
  const { paths, refused } = await listModelFiles(modelDir);
  const files: PinnedFile[] = [];
  let done = 0;
  for (const path of paths) {
    const full = join(modelDir, path);
    const file = path === cardFileName ? await hashCard(full) : await hashFile(full);
    files.push({ path, ...file });
    done += file.bytes;
    onProgress(done);
  }
  return { files, refused };
}

/** Paths of the files that a pin covers, with `/`, sorted by their UTF-8 bytes; what cannot be pinned likewise. */
async function listModelFiles(modelDir: string): Promise<{ paths: string[]; refused: RefusedFile[] }> {
  const info = await stat(modelDir).catch((cause: unknown) => {
    throw new HoldoutError('NOT_FOUND', 'no such folder', { file: modelDir, cause });
  });
  if (!info.isDirectory()) throw new HoldoutError('INPUT_INVALID', 'not a folder', { file: modelDir });
  const root = await realpath(modelDir);
  const paths: string[] = [];
  const refused: RefusedFile[] = [];
  const walk = async (folder: string, inside: ReadonlySet<string>): Promise<void> => {
    for (const entry of await readdir(join(modelDir, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (path === pinFileName || foldersNotPinned.includes(path)) continue;
      const full = join(modelDir, path);
      const target = entry.isSymbolicLink() ? await linkTarget(full, root) : await realpath(full);
      if (target instanceof HoldoutError) {
        refused.push({ path, error: target });
        continue;
      }
      const kind = await stat(target);
      const refuse = (says: string): number => refused.push({ path, error: cannotPin(full, says) });
      if (kind.isDirectory()) {
        if (inside.has(target)) refuse('a link that leads in a circle');
        else await walk(path, new Set([...inside, target]));
      } else if (kind.isFile()) {
        paths.push(path);
      } else {
        refuse('neither a file nor a folder');
      }
    }
  };
  await walk('', new Set([root]));
  return { paths: paths.sort(compareBytes), refused: refused.sort((a, b) => compareBytes(a.path, b.path)) };
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Where a link leads; an error, not thrown, for one that leads nowhere or out of the folder. */
async function linkTarget(link: string, root: string): Promise<string | HoldoutError> {
  let target: string;
  try {
    target = await realpath(link);
  } catch (cause) {
    return cannotPin(link, 'a symbolic link that leads nowhere', { cause });
  }
  if (target === root || target.startsWith(root + sep)) return target;
  return cannotPin(link, `a symbolic link out of the model's folder, to ${target}`, {
    hint: 'pin a folder that holds the files themselves (`cp -rL` copies what links point to)',
  });
}

function cannotPin(file: string, says: string, more: { cause?: unknown; hint?: string } = {}): HoldoutError {
  return new HoldoutError('INPUT_INVALID', says, { file, ...more });
}

async function hashFile(path: string): Promise<Omit<PinnedFile, 'path'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: idOf(hash.digest('hex')), bytes, of: 'file' };
}

/** The card without its front matter, which holds our own entry and is edited by hubs. */
async function hashCard(path: string): Promise<Omit<PinnedFile, 'path'>> {
  const body = cardBody(await readFile(path));
  return { sha256: idOf(createHash('sha256').update(body).digest('hex')), bytes: body.length, of: 'body' };
}

function idOf(hex: string): Sha256Id {
  return `sha256:${hex}` as Sha256Id;
}
