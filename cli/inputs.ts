/**
 * Arguments that name data: files, folders, quoted globs, standard input, or snapshots of the store. An existing file
 * or folder wins over a snapshot of the same name; `NAME@VERSION` means a snapshot wherever the store has that name.
 * @module
 */
import { join } from 'node:path';
import { HoldoutError } from '../src/errors.ts';
import type { VersionEntry } from '../src/store/journal-state.ts';
import type { Store } from '../src/store/store.ts';
import { nearestFile } from '../src/tables/read/nearest-file.ts';
import type { ReadOptions, ReadTable } from '../src/tables/read/read-table-types.ts';
import { type CliContext, pathExists } from './context.ts';
import { startProgress } from './progress.ts';
import { remark } from './output.ts';
import { nearestName } from './text.ts';

/** What an argument turned out to name. */
export type NamedInput =
  | { readonly kind: 'files'; readonly argument: string }
  | { readonly kind: 'snapshot'; readonly argument: string; readonly store: Store; readonly entry: VersionEntry };

/** Reads files as one table, with progress; what it spooled is removed at the end. */
export async function readFileSet(
  context: CliContext,
  files: readonly string[],
  options: Omit<ReadOptions, 'threads' | 'standardInput' | 'onProgress' | 'signal'>,
): Promise<ReadTable> {
  for (const file of files) await explainDirectory(context, file);
  const { readTable } = await import('../src/tables/read/read-table.ts');
  const progress = startProgress(`reading ${files.length === 1 ? (files[0] ?? '') : `${files.length} files`}`);
  try {
    const table = await readTable(files, {
      ...options,
      threads: context.threads,
      standardInput: process.stdin,
      signal: context.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    context.atEnd(() => table.dispose());
    return table;
  } finally {
    progress.end();
  }
}

/** A file that stands where the person started but not in the folder of `-C` deserves a word. */
export async function explainDirectory(context: CliContext, file: string): Promise<void> {
  if (context.startedIn === process.cwd() || file === '-' || (await pathExists(file))) return;
  if (!(await pathExists(join(context.startedIn, file)))) return;
  throw new HoldoutError('NOT_FOUND', 'no such file in the folder of -C', {
    file,
    hint: `-C works as in git: files are sought in that folder. Give ${join(context.startedIn, file)}`,
  });
}

/** A file that an option names must be there. @throws HoldoutError NOT_FOUND with the nearest name. */
export async function requireFile(context: CliContext, file: string): Promise<void> {
  if (await pathExists(file)) return;
  await explainDirectory(context, file);
  const near = await nearestFile(file);
  const hint = near === null ? {} : { hint: `did you mean ${near}?` };
  throw new HoldoutError('NOT_FOUND', 'no such file', { file, ...hint });
}

/**
 * Says what an argument names.
 * @throws HoldoutError NOT_FOUND where it is neither file nor snapshot.
 */
export async function nameInput(context: CliContext, store: Store | null, argument: string): Promise<NamedInput> {
  const files = { kind: 'files', argument } as const;
  if (argument === '-') return files;
  const [name = ''] = argument.split('@');
  const state = store === null ? null : await store.journal();
  const known = state?.names.has(name) === true;
  if (store !== null && known && (argument.includes('@') || !(await pathExists(argument)))) {
    return { kind: 'snapshot', argument, store, entry: await versionEntry(store, argument) };
  }
  if ((await pathExists(argument)) || /[*?[{]/.test(argument)) {
    if (known) remark(`"${argument}" is read as the file or folder of that name; ${name}@1, … name the dataset`);
    return files;
  }
  await explainDirectory(context, argument);
  const near = (await nearestFile(argument)) ?? nearestName(name, state?.names.keys() ?? []);
  const what = store === null ? 'no such file or folder' : 'no such file or folder, and no dataset of that name';
  throw new HoldoutError('NOT_FOUND', `${argument}: ${what}`, near === null ? {} : { hint: `did you mean ${near}?` });
}

/** The version that NAME or NAME@VERSION names. @throws HoldoutError NOT_FOUND with the nearest name. */
export async function versionEntry(store: Store, text: string): Promise<VersionEntry> {
  const { resolveVersion } = await import('../src/snapshots/versions.ts');
  const state = await store.journal();
  const [name = ''] = text.split('@');
  try {
    return resolveVersion(state, text);
  } catch (error) {
    const near = state.names.has(name) ? null : nearestName(name, state.names.keys());
    if (!(error instanceof HoldoutError) || error.code !== 'NOT_FOUND' || near === null) throw error;
    throw new HoldoutError('NOT_FOUND', error.message, { hint: `did you mean ${near}?`, cause: error });
  }
}
