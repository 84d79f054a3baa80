/**
 * One entry of the journal as a file of two lines: the entry as canonical JSON, and its id as a JSON string. The id
 * is what the next entry names, so that the last one too can be told from a torn or altered one.
 * @module
 */
import { datasetName } from '../../schemas/ids.ts';
import type { Sha256Id } from '../../schemas/ids.ts';
import { journalEntry } from '../../schemas/records.ts';
import type { JournalEntry } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { canonicalJson, recordId } from '../identity/canonical-json.ts';
import { sha256IdOf } from '../identity/ids.ts';
import { problemsText } from '../value-problems.ts';
import { placeFile, writeNewFile } from './durable-files.ts';
import { readIfThere } from './read-if-there.ts';
import { journalPath } from './store-paths.ts';
import type { TempFolder } from './temp-folder.ts';

const hint =
  'The journal is the only list of versions: restore this file from a copy of the store, and do not delete it. ' +
  'The records and parts are untouched.';

/**
 * Writes an entry in its place, unless another process has taken that place.
 * @throws HoldoutError `IO`
 */
export async function writeEntry(root: string, temp: TempFolder, entry: JournalEntry): Promise<'placed' | 'taken'> {
  const temporary = await temp.path('.entry');
  await writeNewFile(temporary, Buffer.from(`${canonicalJson(entry)}\n"${recordId(entry)}"\n`));
  const outcome = await placeFile(temporary, journalPath(root, entry.seq));
  if (outcome === 'taken') await temp.discard(temporary);
  return outcome;
}

/**
 * Entry `seq` and its id, or null when there is none yet.
 * @throws HoldoutError `STORE_CORRUPT`, `IO`
 */
export async function readEntry(root: string, seq: number): Promise<{ entry: JournalEntry; id: Sha256Id } | null> {
  const path = journalPath(root, seq);
  const bytes = await readIfThere(path);
  if (bytes === null) return null;
  const end = bytes.indexOf(0x0a);
  const id = sha256IdOf(bytes.subarray(0, Math.max(end, 0)));
  if (end < 0 || bytes.subarray(end + 1).toString('latin1') !== `"${id}"\n`)
    throw corrupt(path, seq, 'it is torn or altered');
  const value: unknown = JSON.parse(bytes.toString('utf8', 0, end));
  const checked = journalEntry.safeParse(value);
  if (!checked.success) {
    throw corrupt(path, seq, `it cannot be understood (${problemsText(journalEntry, value, 'the entry')})`);
  }
  if (checked.data.seq !== seq) throw corrupt(path, seq, `it is entry ${checked.data.seq}`);
  return { entry: checked.data, id };
}

/**
 * The version that a damaged entry seems to have been, by what can still be read of it; nothing where that is no version.
 * @throws HoldoutError `IO`
 */
export async function likelyVersion(root: string, seq: number): Promise<{ readonly version?: string }> {
  const text = (await readIfThere(journalPath(root, seq)))?.toString('utf8') ?? '';
  const name = datasetName.safeParse(/"name":"([^"]*)"/.exec(text)?.[1]);
  const number = /"version":([1-9][0-9]{0,8})[,}]/.exec(text)?.[1];
  return name.success && number !== undefined ? { version: `${name.data}@${number}` } : {};
}

/**
 * Checks that an entry follows the one before it.
 * @throws HoldoutError `STORE_CORRUPT`
 */
export function assertFollows(root: string, entry: JournalEntry, head: Sha256Id | null): void {
  if (entry.previous === head) return;
  throw corrupt(journalPath(root, entry.seq), entry.seq, 'it does not follow the entry before it');
}

/** @throws HoldoutError `STORE_CORRUPT`, always */
export function missingEntry(root: string, seq: number): HoldoutError {
  return corrupt(journalPath(root, seq), seq, 'it is missing, while later ones are there');
}

function corrupt(path: string, seq: number, problem: string): HoldoutError {
  return new HoldoutError('STORE_CORRUPT', `journal entry ${seq} is damaged: ${problem} (${path})`, {
    file: path,
    hint,
  });
}
