/**
 * Stores a table just read: rows that the store holds already are borrowed, the others go to new parts, and a layout
 * says which is which. Nothing here moves a name; until the journal says so, nobody sees the table.
 * @module
 */
import { copyFile, stat } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { PartRecord } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { schemaId } from '../identity/ids.ts';
import { writeScratch } from '../store/scratch-file.ts';
import type { Store } from '../store/store.ts';
import { copyDigests } from './digest-file.ts';
import { LayoutBuilder, withoutUnusedParts } from './layout-builder.ts';
import { encodeLayout } from './layout-file.ts';
import { partStarts } from './layout.ts';
import type { Layout, WholePart } from './layout.ts';
import { lineBlocks } from './line-blocks.ts';
import { writeParts } from './part-writer.ts';
import type { PartPlace, WrittenPart } from './part-writer.ts';
import type { ReadTable, SourceFile } from './read/read-table-types.ts';
import { planBorrowing } from './reuse-plan.ts';
import type { Borrowing } from './reuse-plan.ts';
import { compareLines } from './reuse-verify.ts';
import { rowsIn, runsOf } from './row-runs.ts';
import type { RowRun } from './row-runs.ts';
import { openPart } from './stored-parts.ts';

/** What storing a table came to. */
export interface StoredTable {
  readonly layout: Sha256Id;
  /** Bytes that it added on disk. */
  readonly newBytes: number;
  /** Parts written for it. */
  readonly parts: readonly Sha256Id[];
  /** Rows that stood in the store before. */
  readonly borrowedRows: number;
}

/** What storing takes of a table just read. */
export type TableToStore = Pick<ReadTable, 'schema' | 'rows' | 'digestsPath' | 'bodies' | 'sources'>;

/**
 * Stores the rows of `table`, whose schema record must be stored already. `candidates` are layouts whose parts may hold
 * some of them, but for those that `mayBorrow` refuses. The engine must be able to read the table's files and the store,
 * and to write to its temporary folder.
 * @throws HoldoutError `STORE_CORRUPT`, `IO`
 */
export async function storeTable(
  store: Store,
  engine: Engine,
  table: TableToStore,
  candidates: readonly Sha256Id[],
  mayBorrow: (record: PartRecord, id: Sha256Id) => boolean = () => true,
): Promise<StoredTable> {
  const digests = { path: table.digestsPath, rows: table.rows };
  const schema = schemaId(table.schema);
  const exact = exactSources(table);
  const exactRows = exact.map(({ source }): RowRun => [source.firstRow, source.rows]);
  // Where every row must give its line back, only lines can be borrowed; typed columns only under the same types.
  const onlyLines = rowsIn(exactRows) === table.rows;
  const usable = (record: PartRecord, id: Sha256Id): boolean =>
    mayBorrow(record, id) && (record.kind === 'lines' || (!onlyLines && record.schema === schema));
  const borrowing = await planBorrowing(store, digests, candidates, usable);
  await keepExactLines(store, engine, table, borrowing, exact);
  const { found } = borrowing;

  const written = await writeParts(
    partPlace(store, engine, table),
    table.bodies,
    runsOf((row) => found[row] === 0, table.rows),
    async ({ path }) => (await stat(path)).size,
  );
  const parts: (WholePart & { readonly runs: readonly RowRun[] })[] = [];
  let newBytes = 0;
  for (const part of written) {
    const put = await putPart(store, table, schema, part);
    newBytes += put.newBytes;
    parts.push({ id: put.id, rows: rowsIn(part.runs), runs: part.runs });
  }
  const layout = await putLayout(store, layoutOf(table.rows, borrowing, parts));
  const borrowedRows = table.rows - parts.reduce((sum, { rows }) => sum + rows, 0);
  return { layout: layout.id, newBytes: newBytes + layout.newBytes, parts: parts.map(({ id }) => id), borrowedRows };
}

/** A JSON Lines file whose bytes its rows' lines and fix-ups give back, and where those lines stand. */
export interface ExactSource {
  readonly source: SourceFile;
  readonly linesPath: string;
}

/** The files of a table whose rows have to come back byte for byte. */
export function exactSources(table: TableToStore): readonly ExactSource[] {
  return table.sources.flatMap((source) => {
    if (source.format !== 'jsonl' || source.compression !== 'none' || source.fixups === null) return [];
    const body = table.bodies.find(
      ({ kind, firstRow, rows }) => kind === 'lines' && firstRow === source.firstRow && rows === source.rows,
    );
    return body === undefined ? [] : [{ source, linesPath: body.path }];
  });
}

/** Takes borrowed rows back where a file's line is spelled otherwise than the stored one. */
async function keepExactLines(
  store: Store,
  engine: Engine,
  table: TableToStore,
  { candidates, found }: Borrowing,
  exact: readonly ExactSource[],
): Promise<void> {
  const parts = candidates.map(({ id, record }) => ({ id, rows: record.rows }));
  const starts = partStarts(parts);
  const isLine = (place: number): boolean => {
    const index = starts.findIndex((start) => start >= place) - 1;
    return candidates[index]!.record.kind === 'lines';
  };
  const mixed = candidates.some(({ record }) => record.kind !== 'lines');
  for (const { source, linesPath } of exact) {
    const builder = new LayoutBuilder(parts);
    for (let row = source.firstRow; row < source.firstRow + source.rows; row++) {
      const place = found[row]!;
      if (place !== 0 && mixed && !isLine(place)) found[row] = 0;
      else if (place !== 0) builder.push(place - 1, 1);
    }
    const layout = builder.finish();
    if (layout.rows === 0) continue;
    const runs = runsOf((row) => found[source.firstRow + row] !== 0, source.rows);
    const files = await Promise.all(candidates.map(async ({ id }) => (await openPart(store, id)).file));
    const stored = lineBlocks(engine, files, table.schema, layout, { verbatim: true, bytesMax: 8 << 20 });
    await compareLines(linesPath, runs, stored, (row) => {
      found[source.firstRow + row] = 0;
    });
  }
}

function partPlace(store: Store, engine: Engine, table: TableToStore): PartPlace {
  return { engine, schema: table.schema, temporary: (suffix) => store.tempPath(suffix) };
}

function layoutOf(
  rows: number,
  { candidates, found }: Borrowing,
  written: readonly (WholePart & { readonly runs: readonly RowRun[] })[],
): Layout {
  const parts = [...candidates.map(({ id, record }) => ({ id, rows: record.rows })), ...written];
  const starts = partStarts(parts);
  const builder = new LayoutBuilder(parts.map(({ id, rows }) => ({ id, rows })));
  // New rows are cut into parts in the order of the table, so one pass over both is enough.
  const fresh = written.flatMap(({ runs }, index) => {
    let at = starts[candidates.length + index]!;
    return runs.map(([first, count]) => {
      at += count;
      return { first, count, address: at - count };
    });
  });
  let next = 0;
  for (let row = 0; row < rows;) {
    const run = fresh[next];
    if (run !== undefined && run.first === row) {
      builder.push(run.address, run.count);
      row += run.count;
      next++;
    } else {
      builder.push(found[row]! - 1, 1);
      row++;
    }
  }
  return withoutUnusedParts(builder.finish());
}

async function putPart(
  store: Store,
  table: TableToStore,
  schema: Sha256Id,
  part: WrittenPart,
): Promise<{ id: Sha256Id; newBytes: number }> {
  const rows = rowsIn(part.runs);
  const sidecar = await store.tempPath('.digests');
  const all = { path: table.digestsPath, rows: table.rows };
  if (rows === table.rows) await copyFile(all.path, sidecar);
  else await copyDigests(all, part.runs, sidecar);
  const digests = await store.putFile('digests', sidecar);
  const parquet = await store.putFile('part', part.path);
  const id = await store.putRecord({
    type: 'holdout/part@1',
    kind: part.kind,
    rows,
    logicalBytes: part.logicalBytes,
    parquet: { sha256: parquet.id, bytes: parquet.bytes },
    digests: { sha256: digests.id, bytes: digests.bytes },
    schema,
  });
  return { id, newBytes: digests.bytes + parquet.bytes };
}

/**
 * Stores a layout's file.
 * @throws HoldoutError `IO`
 */
export async function putLayout(store: Store, layout: Layout): Promise<{ id: Sha256Id; newBytes: number }> {
  const path = await store.tempPath('.layout');
  await writeScratch(path, encodeLayout(layout));
  const { id, bytes } = await store.putFile('layout', path);
  return { id, newBytes: bytes };
}
