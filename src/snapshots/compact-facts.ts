/**
 * What compacting has to know of a store: its current layouts, whose rows they are, and which rows of each file any of
 * them uses.
 * @module
 */
import { z } from 'zod';
import type { SetRoot, Sha256Id } from '../../schemas/ids.ts';
import { columnsRecord, digestsRecord, partRecord, realisationRecord } from '../../schemas/records.ts';
import type { TableRef } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { tableKey } from '../store/journal-state.ts';
import type { TableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { readBytesMax } from '../tables/file-lines.ts';
import { digestsOf, forEachPartRun, isWhole, partStarts } from '../tables/layout.ts';
import type { Layout, LayoutPart } from '../tables/layout.ts';
import { rowsPerGroup } from '../tables/part-file.ts';
import { isScattered } from '../tables/scattered.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { UsedRows, recordsOfPart } from '../tables/used-rows.ts';
import { rawTables } from './raw-tables.ts';

/** A table and how it lies. */
export interface TableFacts {
  readonly ref: TableRef;
  readonly setRoot: SetRoot;
  /** Its current layout. */
  readonly layout: Sha256Id;
  /** `name@version` of those whose rows it is; of a step on the way, those that it led to. */
  readonly versions: readonly string[];
  /** Whether it is a step on the way, and no version itself. */
  readonly onTheWay: boolean;
  readonly rows: number;
  readonly columns: number;
  /** Parts of the layout, and of each the rows that the table uses. */
  readonly parts: readonly { readonly part: LayoutPart; readonly rows: number }[];
  /** Records that the digests are read by, where the layout says so by itself. */
  readonly digestRecords: readonly Sha256Id[];
  readonly pieces: number;
  /** Runs of consecutive stored rows. */
  readonly runs: number;
  /** Whether its rows are strewn, so that reading has to put them in order. */
  readonly strewn: boolean;
  /** Whether its lines are the only copy of a raw file's bytes. */
  readonly raw: boolean;
}

/** A stored file, or two: rows, digests, or both. */
export interface FileFacts {
  readonly rows: number;
  /** Rows that some table uses. */
  readonly live: number;
  readonly bytes: number;
  /** What its rows are kept as, and for typed ones under which schema; null of what is no part. */
  readonly kind: string | null;
}

/** The store as compacting sees it. */
export interface StoreFacts {
  readonly tables: readonly TableFacts[];
  readonly files: ReadonlyMap<Sha256Id, FileFacts>;
}

const filesRecord = z.discriminatedUnion('type', [partRecord, columnsRecord, digestsRecord]);
type FilesRecord = z.infer<typeof filesRecord>;

/** Reads every current layout. @throws HoldoutError `STORE_CORRUPT`, `IO` */
export async function storeFacts(store: Store): Promise<StoreFacts> {
  const { layouts } = await store.journal();
  const raw = await rawTables(store);
  const used = new UsedRows();
  const records = new Map<Sha256Id, FilesRecord>();
  const tables: TableFacts[] = [];
  for (const { key, ref, setRoot, versions, onTheWay } of await knownTables(store)) {
    const id = layouts.get(key);
    if (id === undefined) continue;
    const layout = await readLayout(store, id);
    used.add(layout);
    const digestRecords = layout.digests === undefined ? [] : digestsOf(layout).parts.map((part) => part.id);
    for (const record of [...layout.parts.flatMap(recordsOfPart), ...digestRecords]) {
      if (!records.has(record)) records.set(record, await store.getRecord(record, filesRecord));
    }
    const schema = await store.getRecord(ref.schema, tableSchema);
    const { rowsOfParts, runs } = countRows(layout);
    tables.push({
      ref,
      setRoot,
      layout: id,
      versions,
      onTheWay,
      rows: layout.rows,
      columns: schema.columns.length,
      parts: layout.parts.map((part, index) => ({ part, rows: rowsOfParts[index]! })),
      digestRecords,
      pieces: layout.pieces.length,
      runs,
      strewn: isStrewn(layout, records),
      raw: raw.has(key),
    });
  }
  const files = new Map(
    used.records.map((id): [Sha256Id, FileFacts] => [id, { ...used.of(id), ...fileFacts(records.get(id)!) }]),
  );
  return { tables, files };
}

interface KnownTable {
  readonly key: TableKey;
  readonly ref: TableRef;
  readonly setRoot: SetRoot;
  readonly versions: string[];
  onTheWay: boolean;
}

async function knownTables(store: Store): Promise<Iterable<KnownTable>> {
  const known = new Map<TableKey, KnownTable>();
  for (const entry of (await store.journal()).entries) {
    if (entry.op !== 'version') continue;
    const version = `${entry.name}@${entry.version}`;
    for (const step of [...(entry.through ?? []), entry]) {
      const { table, schema, setRoot } = (await store.getRecord(step.realisation, realisationRecord)).output;
      const ref = { table, schema };
      const key = tableKey(ref);
      const own = step === entry;
      const before = known.get(key);
      if (before === undefined) known.set(key, { key, ref, setRoot, versions: [version], onTheWay: !own });
      else if (own && before.onTheWay) {
        before.versions.splice(0, before.versions.length, version);
        before.onTheWay = false;
      } else if ((own || before.onTheWay) && before.versions.at(-1) !== version) before.versions.push(version);
    }
  }
  return known.values();
}

function countRows(layout: Layout): { readonly rowsOfParts: readonly number[]; readonly runs: number } {
  const rowsOfParts = layout.parts.map(() => 0);
  let runs = 0;
  let next = -1;
  const starts = partStarts(layout.parts);
  forEachPartRun(layout, starts, (part, from, rows) => {
    const address = starts[part]! + from;
    // A run ends where its part does.
    if (address !== next || from === 0) runs++;
    next = address + rows;
    rowsOfParts[part]! += rows;
  });
  return { rowsOfParts, runs };
}

function isStrewn(layout: Layout, records: ReadonlyMap<Sha256Id, FilesRecord>): boolean {
  if (!layout.parts.every(isWhole)) return false;
  const files = layout.parts.map(({ id, rows }) => {
    const record = records.get(id)!;
    const logicalBytes = 'logicalBytes' in record ? record.logicalBytes : 0;
    return { kind: 'stacked', rows, logicalBytes, sources: [] } as const;
  });
  const groups = files.map(({ rows }) => [
    ...Array.from({ length: Math.ceil(rows / rowsPerGroup) }, (_, index) => index * rowsPerGroup),
    rows,
  ]);
  return isScattered(layout, files, groups, { bytesMax: readBytesMax });
}

function fileFacts(record: FilesRecord): Pick<FileFacts, 'bytes' | 'kind'> {
  switch (record.type) {
    case 'holdout/part@1': {
      const kind = record.kind === 'lines' ? 'lines' : `typed ${record.schema}`;
      return { bytes: record.parquet.bytes + record.digests.bytes, kind };
    }
    case 'holdout/columns@1':
      return { bytes: record.parquet.bytes, kind: null };
    case 'holdout/digests@1':
      return { bytes: record.digests.bytes, kind: null };
    default:
      throw new HoldoutError('STORE_CORRUPT', 'a layout names a record that stands for no rows');
  }
}
