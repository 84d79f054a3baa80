/**
 * Operating-system failures as the person meets them: what was being done, to which path, and what helps.
 * @module
 */
import { HoldoutError } from '../errors.ts';

const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Free space and run the command again; nothing was half-stored.',
  EDQUOT: 'Your quota is used up. Free space and run the command again; nothing was half-stored.',
  EACCES: 'Check the permissions of this path.',
  EPERM: 'Check the permissions of this path.',
  EROFS: 'The file system is mounted read-only.',
  EMFILE: 'Too many files are open; raise the limit (ulimit -n).',
  ENOTDIR: 'A part of this path is a file where a folder is needed.',
  EXDEV: 'The folders of one store must lie on one file system.',
};

/** Code of a Node system error (`ENOENT` …), or undefined for any other value. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Calls the system. @throws HoldoutError `IO` */
export function systemCall<T>(doing: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw ioError(doing, path, error);
  }
}

/** Wraps a system error as `IO`; a `HoldoutError` passes through unchanged. */
export function ioError(doing: string, path: string, cause: unknown): HoldoutError {
  if (cause instanceof HoldoutError) return cause;
  const code = errnoOf(cause);
  const reason = code ?? (cause instanceof Error ? cause.message : String(cause));
  const hint = code === undefined ? undefined : hints[code];
  return new HoldoutError('IO', `cannot ${doing} ${path}: ${reason}`, {
    file: path,
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
