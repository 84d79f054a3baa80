/**
 * Turns command-line arguments into the files of one dataset, in order: a file, a folder (every data file in it), a
 * quoted pattern, a folder that `save_to_disk` of Hugging Face datasets wrote, `-` for standard input.
 * @module
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HoldoutError } from '../../errors.ts';
import { compareText, expandPattern, isPattern } from './glob.ts';
import { nearestFile } from './nearest-file.ts';

/** A file to read. `path` is `-` for standard input. */
export interface InputFile {
  readonly path: string;
  readonly name: string;
}

const filesMax = 100_000;

/**
 * The files that the arguments name.
 * @throws HoldoutError `NOT_FOUND` when an argument names nothing; `INPUT_INVALID` for a folder of several splits.
 */
export async function findInputFiles(args: readonly string[]): Promise<InputFile[]> {
  const paths: string[] = [];
  for (const argument of args) paths.push(...(await expand(argument)));
  if (paths.length === 0) throw new HoldoutError('USAGE', 'no file is named');
  if (paths.length > filesMax)
    throw new HoldoutError('LIMIT', `${paths.length} files; at most ${filesMax} make a dataset`);
  if (paths.filter((path) => path === '-').length > 1) {
    throw new HoldoutError('USAGE', 'standard input ("-") can be read only once');
  }
  return paths.map((path) => ({ path, name: path === '-' ? 'stdin' : basename(path) }));
}

async function expand(argument: string): Promise<string[]> {
  if (argument === '-') return ['-'];
  const facts = await stat(argument).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
    throw new HoldoutError('IO', `cannot look at "${argument}": ${cause.message}`, { file: argument, cause });
  });
  if (facts?.isDirectory() === true) return folderFiles(argument);
  if (facts !== null) return [argument];
  const found = isPattern(argument) ? await expandPattern(argument) : [];
  if (found.length > 0) return found;
  const near = await nearestFile(argument);
  const hint = near === null ? {} : { hint: `did you mean ${near}?` };
  throw new HoldoutError('NOT_FOUND', 'no such file or folder', { file: argument, ...hint });
}

async function folderFiles(folder: string): Promise<string[]> {
  const saved = await savedDatasetFiles(folder);
  if (saved !== null) return saved;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths: string[] = [];
  for (const entry of entries) {
    const inside = join(entry.parentPath, entry.name).slice(folder.length);
    if (/[/\\]\.|[/\\]_/.test(inside) || isNoData(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() || (entry.isSymbolicLink() && (await isPlainFile(path)))) paths.push(path);
  }
  if (paths.length === 0) throw new HoldoutError('NOT_FOUND', `there is no data file in "${folder}"`, { file: folder });
  return paths.sort(compareText);
}

async function isPlainFile(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => null);
  return facts?.isFile() === true;
}

/** Files that stand beside data and are none. */
function isNoData(name: string): boolean {
  return (
    /^(?:readme|license|licence|copying|notice|changelog)(?:\.|$)/i.test(name) ||
    /\.(?:md|rst|py|lock|yaml|yml|html|pdf|png|jpe?g|gif)$/i.test(name) ||
    ['dataset_info.json', 'dataset_infos.json', 'state.json', 'dataset_dict.json'].includes(name)
  );
}

/** The Arrow files of a `save_to_disk` folder, in the order of its `state.json`; null for any other folder. */
async function savedDatasetFiles(folder: string): Promise<string[] | null> {
  const dictionary = await readJsonFile(join(folder, 'dataset_dict.json'));
  if (dictionary !== null) {
    const splits = namesIn(dictionary, 'splits').map(String);
    throw new HoldoutError('INPUT_INVALID', `"${folder}" holds several splits: ${splits.join(', ')}`, {
      file: folder,
      hint: `Name one, for example ${join(folder, splits[0] ?? 'train')}.`,
    });
  }
  const state = await readJsonFile(join(folder, 'state.json'));
  if (state === null) return null;
  const files = namesIn(state, '_data_files').map((entry) =>
    typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>)['filename'] : null,
  );
  return files.map((name) => {
    if (typeof name !== 'string' || name !== basename(name) || name === '' || name === '..') {
      throw new HoldoutError('INPUT_INVALID', 'its "_data_files" does not name files of this folder', {
        file: join(folder, 'state.json'),
      });
    }
    return join(folder, name);
  });
}

function namesIn(record: Record<string, unknown>, key: string): unknown[] {
  const list = record[key];
  return Array.isArray(list) ? list : [];
}

/** A small JSON object; null where the file is absent or holds something else. */
async function readJsonFile(path: string): Promise<Record<string, unknown> | null> {
  const facts = await stat(path).catch(() => null);
  if (facts === null || facts.size > 1 << 20) return null;
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch (cause) {
    throw new HoldoutError('INPUT_INVALID', 'this file of a saved dataset is no JSON', { file: path, cause });
  }
}
