/**
 * Runs a read step again: finds the raw bytes by their digests, reads them as the first time.
 * @module
 */
import { mkdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import { type BlobRecord, blobRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { writeRawFile } from '../snapshots/raw-files.ts';
import { fileDigest } from '../store/file-digest.ts';
import type { Store } from '../store/store.ts';
import { openReadTable } from '../tables/read-table-reader.ts';
import type { ReadTable } from '../tables/read/read-table-types.ts';
import type { TableReader } from '../tables/table-reader.ts';
import type { LineageStep } from './graph.ts';

/** Where raw bytes may be had from, beside the store. */
export interface RawSources {
  /** Files that the person names; each counts only by its digest. */
  readonly files: readonly string[];
}

/** Outcome: the table read again, or which file is needed. */
export type ReadAgain =
  | { readonly kind: 'read'; readonly reader: TableReader; readonly table: ReadTable }
  | { readonly kind: 'missing'; readonly says: string };

/** What reading again needs of the run. */
export interface ReadAgainRun {
  readonly store: Store;
  readonly engine: Engine;
  readonly raw: RawSources;
  readonly workDirectory: string;
  readonly threads: number;
}

/** Parameters of a read step, as `holdout add` records them. */
const readParams = z.object({
  formats: z.array(z.enum(['jsonl', 'json', 'csv', 'tsv', 'parquet', 'arrow-file', 'arrow-stream'])),
  schema: tableSchema.nullable(),
  inferred: z.boolean(),
});

/**
 * Reads the raw files of a read step again, in a scratch place.
 * @throws HoldoutError as reading does; STORE_CORRUPT when stored bytes do not match their digest.
 */
export async function readAgain(run: ReadAgainRun, step: LineageStep): Promise<ReadAgain> {
  const params = readParams.parse(step.derivation.params);
  const paths: string[] = [];
  const missing: string[] = [];
  for (const [index, id] of step.realisation.blobs.entries()) {
    const blob = await run.store.getRecord(id, blobRecord);
    const path = await findBytes(run, step, id, blob, index);
    if (path === null) missing.push(`${blob.name} (sha256 ${blob.sha256.slice(7)}, ${blob.bytes} bytes)`);
    else paths.push(path);
  }
  if (missing.length > 0) {
    return {
      kind: 'missing',
      says: `bytes that the store does not have; give them by --from-raw: ${missing.join(', ')}`,
    };
  }
  const [format] = params.formats;
  const oneFormat = params.formats.every((each) => each === format);
  const { readTable } = await import('../tables/read/read-table.ts');
  const table = await readTable(paths, {
    workDirectory: run.workDirectory,
    threads: run.threads,
    schema: params.schema ?? undefined,
    format: oneFormat ? format : undefined,
  });
  const reader = await openReadTable(run.engine, table, { workDirectory: run.workDirectory });
  return { kind: 'read', reader, table };
}

/** A file with the blob's bytes: one that was given, the stored bytes, or the source where it still is. */
async function findBytes(
  run: ReadAgainRun,
  { entry }: LineageStep,
  id: Sha256Id,
  blob: BlobRecord,
  index: number,
): Promise<string | null> {
  for (const path of run.raw.files) if (await hasDigest(path, blob)) return path;
  const folder = join(run.workDirectory, `raw-${index}`);
  await mkdir(folder, { recursive: true });
  const stored = await writeStored(run, blob, join(folder, basename(blob.name)));
  if (stored !== null) return stored;
  const source = entry.sources.find((each) => each.blob === id);
  const path = source === undefined ? null : resolve(run.store.projectRoot, source.path);
  return path !== null && (await hasDigest(path, blob)) ? path : null;
}

/** The stored bytes as a file, checked as they are written; null where they are not kept, or the store has lost them. */
async function writeStored(run: ReadAgainRun, blob: BlobRecord, path: string): Promise<string | null> {
  if (blob.content.kind === 'digest') return null;
  try {
    await writeRawFile(run.store, run.engine, blob, path);
  } catch (error) {
    if (error instanceof HoldoutError && (error.code === 'NOT_FOUND' || error.code === 'STORE_CORRUPT')) return null;
    throw error;
  }
  return path;
}

/** Whether a file is there with the bytes of a raw file. @throws the system's own error where it cannot be read */
export async function hasDigest(path: string, blob: BlobRecord): Promise<boolean> {
  const info = await stat(path).catch(() => null);
  if (info === null || !info.isFile() || info.size !== blob.bytes) return false;
  return (await fileDigest(path)) === blob.sha256;
}
