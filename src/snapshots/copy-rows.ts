/**
 * Copies stored rows to new parts, in a new order: lines as they are spelled, other rows as canonical values.
 * @module
 */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { LineFixups, PartRecord } from '../../schemas/records.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { writeScratch } from '../store/scratch-file.ts';
import type { Store } from '../store/store.ts';
import { isWhole, wholeParts } from '../tables/layout.ts';
import type { Layout, RowMap, WholePart } from '../tables/layout.ts';
import { groupRowsOf } from '../tables/part-file.ts';
import type { Body, SourceFile } from '../tables/read/read-table-types.ts';
import { writeParquet } from '../tables/read/typed-body.ts';
import { RowWeight } from '../tables/row-weight.ts';
import { freeName } from '../tables/sql-types.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { openLayout } from '../tables/table-reader.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { storeTable } from '../tables/write-table.ts';
import { checkPart } from './verify-rows.ts';

/** What copying needs. */
export interface CopyRun {
  readonly store: Store;
  /** Able to read the store and to write to its temporary folder. */
  readonly engine: Engine;
  /** Layouts whose parts may hold some of the rows already. */
  readonly candidates: readonly Sha256Id[];
  /** Parts that the rows must not be taken from. */
  readonly leaving: ReadonlySet<Sha256Id>;
}

/** Where the rows stand now. */
export interface CopiedRows {
  readonly rows: RowMap<WholePart>;
  readonly newBytes: number;
}

/**
 * Stores the rows of a layout anew, and recomputes each digest from what was written. `kind` says what the layout's
 * parts are; the schema is that of the new parts.
 * @throws HoldoutError `STORE_CORRUPT` when a stored row is not what its digest says; `IO`
 */
export async function copyRows(
  run: CopyRun,
  layout: Layout,
  kind: 'lines' | 'typed',
  schema: TableSchema,
): Promise<CopiedRows> {
  if (layout.rows === 0) return { rows: wholeParts([]), newBytes: 0 };
  const { store, engine } = run;
  const reader = await openLayout(store, engine, schema, layout);
  const digestsPath = await store.tempPath('.digests');
  const path = await store.tempPath(kind === 'lines' ? '.jsonl' : '.parquet');
  try {
    await writeScratch(digestsPath, await reader.digests());
    const body = kind === 'lines' ? await writeLines(reader, path) : await writeRows(engine, reader, path);
    const table = { schema, rows: layout.rows, digestsPath, bodies: [body], sources: sourcesOf(body) };
    // Typed rows are read in canonical spelling; lines that hold the same have one of their own.
    const mayBorrow = (part: PartRecord, id: Sha256Id): boolean => part.kind === kind && !run.leaving.has(id);
    const stored = await storeTable(store, engine, table, run.candidates, mayBorrow);
    for (const part of stored.parts) {
      const problem = await checkPart(store, engine, part);
      if (problem === null) continue;
      throw new HoldoutError('STORE_CORRUPT', `rows cannot be copied: ${problem}`, {
        hint: '`holdout verify --read-data` names what is damaged',
      });
    }
    const { parts, ...rest } = await readLayout(store, stored.layout);
    return { rows: { ...rest, parts: parts.filter(isWhole) }, newBytes: stored.newBytes };
  } finally {
    await reader.close();
    await rm(path, { force: true });
    await rm(digestsPath, { force: true });
  }
}

async function writeLines(reader: TableReader, path: string): Promise<Body> {
  let longestLineBytes = 0;
  const weight = new RowWeight();
  async function* blocks(): AsyncGenerator<Uint8Array> {
    for await (const { rows, bytes } of reader.jsonLines()) {
      weight.add(rows, bytes.length);
      for (let at = 0; at < bytes.length;) {
        const end = bytes.indexOf(lineFeed, at);
        longestLineBytes = Math.max(longestLineBytes, end - at);
        at = end + 1;
      }
      yield bytes;
    }
  }
  await pipeline(Readable.from(blocks(), { objectMode: true }), createWriteStream(path, { flags: 'wx' }));
  return { kind: 'lines', path, firstRow: 0, rows: reader.rows, longestLineBytes, groupBytes: weight.bytesMax };
}

const lineFeed = 10;

async function writeRows(engine: Engine, reader: TableReader, path: string): Promise<Body> {
  const position = freeName(reader.schema, 'holdout_position');
  const columns = reader.schema.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const sorted = `SELECT ${columns} FROM (${reader.relationSql({ position })}) ORDER BY ${quoteIdentifier(position)}`;
  await writeParquet(engine, reader.orderedSql() ?? sorted, path, groupRowsOf(reader.rowBytes));
  return { kind: 'typed', path, firstRow: 0, rows: reader.rows, mayMove: true };
}

/** Lines must come back byte for byte, which storing promises of a JSON Lines file. */
function sourcesOf(body: Body): readonly SourceFile[] {
  if (body.kind === 'typed') return [];
  const { path, firstRow, rows } = body;
  const fixups: LineFixups = { bom: false, finalNewline: true, blanks: [], ends: 'lf' };
  // Nobody asks for the digest of a file that is copied and gone.
  const file = { path, name: '', bytes: 0, sha256: `sha256:${'0'.repeat(64)}` as Sha256Id };
  return [{ ...file, format: 'jsonl', compression: 'none', firstRow, rows, fixups, lineOfRow: (row) => row + 1 }];
}
