/**
 * Where things lie in the store's folder. `filePath` is the one function from a digest to a path, and builds it from
 * the parsed bytes, never from the text that came in.
 * @module
 */
import { join } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import { digestBytesOf } from '../identity/ids.ts';

/** What is kept under its digest, with the ending of its file name. */
const endings = {
  record: '.json',
  part: '.parquet',
  digests: '.digests',
  layout: '.layout',
  origins: '.origins',
  pack: '.pack',
} as const;

const folders = {
  record: 'records',
  part: 'parts',
  digests: 'digests',
  layout: 'layouts',
  origins: 'origins',
  pack: 'packs',
} as const;

/** A kind of thing kept under its digest. */
export type StoredKind = keyof typeof folders;
/** A kind of file that `putFile` takes. */
export type FileKind = Exclude<StoredKind, 'record'>;

export const storedKinds = Object.keys(folders) as readonly StoredKind[];

/** Folder of the store inside a project. */
export const storeFolderName = '.holdout';

/**
 * Path of the file with this digest.
 * @throws TypeError when the id is not `sha256:` and 64 lower-case hex digits
 */
export function filePath(root: string, kind: StoredKind, id: Sha256Id): string {
  if (!id.startsWith('sha256:')) throw new TypeError(`expected a sha256 id, got "${id}"`);
  const hex = Buffer.from(digestBytesOf(id)).toString('hex');
  return join(root, folders[kind], hex.slice(0, 2), hex + endings[kind]);
}

/** Folder of a kind. Its files stand in folders named by the first byte of their digest. */
export function kindFolder(root: string, kind: StoredKind): string {
  return join(root, folders[kind]);
}

/** Digest that a file name of this kind stands for, or null for a foreign name. */
export function idOfFileName(kind: StoredKind, prefix: string, name: string): Sha256Id | null {
  const ending = endings[kind];
  const hex = name.slice(0, -ending.length);
  if (!name.endsWith(ending) || !/^[0-9a-f]{64}$/.test(hex) || !hex.startsWith(prefix)) return null;
  return `sha256:${hex}` as Sha256Id;
}

export function journalFolder(root: string): string {
  return join(root, 'journal');
}

/** File of a journal entry. */
export function journalPath(root: string, seq: number): string {
  return join(root, 'journal', `${String(seq).padStart(12, '0')}.jsonl`);
}

export function configPath(root: string): string {
  return join(root, 'config.json');
}

/** A file that may be deleted at any time. */
export function cachePath(root: string, name: 'journal' | 'checked' | 'sources' | 'realised'): string {
  return join(root, 'cache', `${name}.json`);
}

/** Folder of files that nothing needs, each batch in a folder named by the time at which it was moved. */
export function quarantineRoot(root: string): string {
  return join(root, 'quarantine');
}

export function temporaryRoot(root: string): string {
  return join(root, 'tmp');
}
