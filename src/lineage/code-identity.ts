/**
 * What of a person's own code counts in a derivation: digests of its files, versions of what it imports, and what is
 * known not to be covered by either.
 * @module
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { sha256Id } from '../../schemas/ids.ts';
import { HoldoutError } from '../errors.ts';
import { errnoOf, ioError } from '../store/io-error.ts';
import { formatBytes } from '../size-text.ts';

/** A file of the person's code, by its path from the project's folder. */
const codeFile = z.strictObject({ path: z.string(), sha256: sha256Id });
export type CodeFile = z.infer<typeof codeFile>;

/** The identity of a step's code, as derivations hold it. */
const codeRecord = z.strictObject({
  /** Sorted by path. */
  files: z.array(codeFile),
  /** `name@version` of imported packages, sorted. */
  packages: z.array(z.string()),
  /** Modules of Node that it imports, sorted. */
  builtins: z.array(z.string()),
  /** sha256 of what the declared fingerprint command printed. */
  fingerprint: sha256Id.nullable(),
  /** Why nothing vouches for the code, in words; empty where it is all in the identity. */
  unvouched: z.array(z.string()),
});
export type CodeRecord = z.infer<typeof codeRecord>;

/** The most bytes of one file of code or of one declared input. */
const codeBytesMax = 1 << 30;

/** Whether the code that a derivation names is all in its identity, so that another run is by the same code. */
export function isVouchedFor(code: unknown): boolean {
  const read = codeRecord.safeParse(code);
  return read.success && read.data.unvouched.length === 0;
}

/** A path as identities name it: from the project's folder, with `/`. */
export function codePath(projectRoot: string, path: string): string {
  return relative(projectRoot, resolve(projectRoot, path)).split(sep).join('/');
}

/** The digest of bytes as an id. */
export function bytesId(bytes: Uint8Array | string): CodeFile['sha256'] {
  return sha256Id.parse(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

/**
 * Digests of files that a step declares.
 * @throws HoldoutError NOT_FOUND, LIMIT, IO
 */
export async function digestCodeFiles(projectRoot: string, paths: readonly string[]): Promise<CodeFile[]> {
  const files: CodeFile[] = [];
  for (const path of new Set(paths)) {
    const bytes = await readCodeFile(resolve(projectRoot, path), path);
    files.push({ path: codePath(projectRoot, path), sha256: bytesId(bytes) });
  }
  return sortFiles(files);
}

/** By path, each once. */
export function sortFiles(files: readonly CodeFile[]): CodeFile[] {
  return [...new Map(files.map((file) => [file.path, file])).values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The bytes of a file of code. @throws HoldoutError NOT_FOUND, LIMIT, IO */
export async function readCodeFile(path: string, shown: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') throw new HoldoutError('NOT_FOUND', `${shown}: no such file`, { file: shown });
    if (errnoOf(error) === 'EISDIR') throw new HoldoutError('USAGE', `${shown} is a folder, not a file`);
    throw ioError('read', shown, error);
  });
  if (bytes.length <= codeBytesMax) return bytes;
  throw new HoldoutError('LIMIT', `${shown} is larger than ${formatBytes(codeBytesMax)}`, { file: shown });
}
