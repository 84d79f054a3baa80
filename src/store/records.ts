/**
 * Immutable records: canonical JSON under its digest, checked when written and at each read.
 * @module
 */
import { join } from 'node:path';
import type { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import { HoldoutError } from '../errors.ts';
import { recordBytes } from '../identity/canonical-json.ts';
import { sha256IdOf } from '../identity/ids.ts';
import { problemsText } from '../value-problems.ts';
import { placeFile, replaceFile, writeNewFile } from './durable-files.ts';
import { namesIn } from './list-stored.ts';
import { readIfThere } from './read-if-there.ts';
import { filePath, idOfFileName, kindFolder } from './store-paths.ts';
import { problemOfRecord, typeOfRecord } from './stored-record.ts';
import type { StoredRecord } from './stored-record.ts';
import type { TempFolder } from './temp-folder.ts';
import { formatBytes } from '../size-text.ts';

/** Records past this size are refused: they are read whole. */
const recordBytesMax = 1 << 30;

/**
 * Stores a record durably; one that is there already is kept.
 * @throws TypeError when the record is not what its type says
 * @throws HoldoutError `IO`, `LIMIT`
 */
export async function putRecord(root: string, temp: TempFolder, record: StoredRecord): Promise<Sha256Id> {
  const problem = problemOfRecord(record);
  if (problem !== null) throw new TypeError(`"record" is no stored record: ${problem}`);
  const bytes = recordBytes(record);
  if (bytes.length > recordBytesMax) {
    throw new HoldoutError(
      'LIMIT',
      `a ${typeOfRecord(record)} record has ${formatBytes(bytes.length)}, more than ${formatBytes(recordBytesMax)}`,
    );
  }
  const id = sha256IdOf(bytes);
  const target = filePath(root, 'record', id);
  const temporary = await temp.path('.record');
  await writeNewFile(temporary, bytes);
  if ((await placeFile(temporary, target)) === 'placed') return id;
  if ((await readIfThere(target))?.equals(bytes) === true) await temp.discard(temporary);
  // What stands there is damaged, and these are the bytes that the id promises.
  else await replaceFile(temporary, target);
  return id;
}

/**
 * A record, re-hashed and checked against the schema given.
 * @throws HoldoutError `STORE_CORRUPT` also when it is missing; `IO`
 */
export async function getRecord<T>(root: string, id: Sha256Id, schema: z.ZodType<T>): Promise<T> {
  const value = await readRecord(root, id);
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  throw new HoldoutError(
    'STORE_CORRUPT',
    `record ${id} (${typeOfRecord(value) ?? 'of no type'}) is not what is expected here: ${problemsText(schema, value, 'the record')}`,
    { file: filePath(root, 'record', id) },
  );
}

/**
 * A record's JSON, re-hashed and checked as the type that it names.
 * @throws HoldoutError `STORE_CORRUPT` also when it is missing; `IO`
 */
export async function readRecord(root: string, id: Sha256Id): Promise<StoredRecord> {
  const path = filePath(root, 'record', id);
  const bytes = await readIfThere(path);
  // Whoever asks has the id from the store itself.
  if (bytes === null) {
    throw new HoldoutError('STORE_CORRUPT', `record ${id} is missing from the store`, {
      file: path,
      hint: 'Restore this file from a copy of the store, or run "holdout verify" to see what needs it.',
    });
  }
  if (sha256IdOf(bytes) !== id) {
    throw new HoldoutError('STORE_CORRUPT', `record ${id} does not match its id`, {
      file: path,
      hint: 'Restore this file from a copy of the store, or run "holdout verify" to see what needs it.',
    });
  }
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  const problem = problemOfRecord(value);
  if (problem === null) return value as StoredRecord;
  throw new HoldoutError('STORE_CORRUPT', `record ${id} cannot be understood: ${problem}`, {
    file: path,
    hint: 'It may have been written by a newer version of Holdout.',
  });
}

/**
 * Ids of the records that begin with these hex digits (with or without `sha256:`), sorted.
 * @throws HoldoutError `IO`
 */
export async function resolveRecordPrefix(root: string, prefix: string): Promise<Sha256Id[]> {
  const hex = prefix.startsWith('sha256:') ? prefix.slice(7) : prefix;
  if (!/^[0-9a-f]{1,64}$/.test(hex)) return [];
  const folder = kindFolder(root, 'record');
  const buckets = (await namesIn(folder)).filter((name) => name.startsWith(hex.slice(0, 2)));
  const found: Sha256Id[] = [];
  for (const bucket of buckets) {
    for (const name of await namesIn(join(folder, bucket))) {
      const id = name.startsWith(hex) ? idOfFileName('record', bucket, name) : null;
      if (id !== null) found.push(id);
    }
  }
  return found.sort();
}
