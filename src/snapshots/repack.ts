/**
 * Gives a table another layout of the same rows, over new parts, and makes sure that they are the same.
 * @module
 */
import { createHash } from 'node:crypto';
import type { Sha256Id } from '../../schemas/ids.ts';
import { partRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { formatSetRoot, formatTableId } from '../identity/ids.ts';
import { setTree } from '../merkle/set-tree.ts';
import { TableTreeBuilder } from '../merkle/table-tree.ts';
import { tableKey } from '../store/journal-state.ts';
import { storeDigests } from '../tables/column-parts.ts';
import { composeLayout, withoutUnusedParts } from '../tables/layout-builder.ts';
import { digestsOf, isWhole } from '../tables/layout.ts';
import type { Layout } from '../tables/layout.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { openLayout } from '../tables/table-reader.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { putLayout } from '../tables/write-table.ts';
import type { TableFacts } from './compact-facts.ts';
import { isLeft } from './compact-plan.ts';
import type { RepackJob } from './compact-plan.ts';
import { copyRows } from './copy-rows.ts';
import type { CopyRun } from './copy-rows.ts';
import { oldPart } from './moved-rows.ts';
import type { MovedRows, OldPart } from './moved-rows.ts';
import { layoutBytes } from './stored-size.ts';

/** What a layout comes to. */
export interface LayoutSize {
  readonly parts: number;
  readonly pieces: number;
  /** Of its own and of all files that it draws from. */
  readonly bytes: number;
}

/** How the repacking of a table ended. */
export type Repacked =
  | {
      readonly state: 'repacked';
      readonly before: LayoutSize;
      readonly after: LayoutSize;
      /** Bytes that it added on disk. */
      readonly newBytes: number;
    }
  /** Somebody gave the table another layout meanwhile: that one stands. */
  | { readonly state: 'changed' }
  /** It would have had to copy rows that others do not share. */
  | { readonly state: 'not-shared' };

/**
 * Moves a table's rows to new parts and journals the layout, unless another one stands by then. Rows that moved for
 * another table of the family are not copied again.
 * @throws HoldoutError `STORE_CORRUPT` when what was written is not the table; nothing is journalled then; `IO`
 */
export async function repackTable(
  run: CopyRun & { readonly now: Date },
  { table, why }: RepackJob,
  moved: MovedRows,
): Promise<Repacked> {
  const { store, engine, leaving } = run;
  const key = tableKey(table.ref);
  if ((await store.journal()).layouts.get(key) !== table.layout) return { state: 'changed' };
  const layout = await readLayout(store, table.layout);
  const schema: TableSchema = await store.getRecord(table.ref.schema, tableSchema);
  const keys = layout.parts.map((part) => (isLeft(part, leaving) ? oldPart(part, table.ref.schema) : null));
  const newBytes = why === 'shares' ? 0 : await moveRows(run, layout, schema, keys, moved);
  const rows = moved.apply(layout, (part) => keys[part]!);
  if (rows === null) return { state: 'not-shared' };
  const reader = await openLayout(store, engine, schema, layout);
  try {
    const { digests, bytes } = await digestsFor(run, layout, rows, reader);
    const next = withoutUnusedParts(digests === undefined ? rows : { ...rows, digests });
    await assertSame(run, table, reader, next, schema);
    const put = await putLayout(store, next);
    const { table: id, schema: schemaOf } = table.ref;
    const entry = await store.commit(
      ({ layouts }) =>
        layouts.get(key) === table.layout ? { op: 'layout', table: id, schema: schemaOf, layout: put.id } : null,
      run.now,
    );
    if (entry === null) return { state: 'changed' };
    return {
      state: 'repacked',
      before: await sizeOf(store, layout, table.layout),
      after: await sizeOf(store, next, put.id),
      newBytes: newBytes + bytes + put.newBytes,
    };
  } finally {
    await reader.close();
  }
}

/** Copies what has not moved yet; returns the bytes that it added. */
async function moveRows(
  run: CopyRun,
  layout: Layout,
  schema: TableSchema,
  keys: readonly (OldPart | null)[],
  moved: MovedRows,
): Promise<number> {
  // Lines go with lines, typed rows with those of the same types; columns beside each other become rows of the table.
  const kinds = new Map<string, { kind: 'lines' | 'typed'; schema: TableSchema; parts: Set<number> }>();
  for (const [index, part] of layout.parts.entries()) {
    if (keys[index] === null) continue;
    const record = isWhole(part) ? await run.store.getRecord(part.id, partRecord) : null;
    const kind = record?.kind ?? 'typed';
    const name = kind === 'lines' ? kind : (record?.schema ?? '');
    const own = record === null || kind === 'lines' ? schema : await run.store.getRecord(record.schema, tableSchema);
    const same = kinds.get(name) ?? { kind, schema: own, parts: new Set() };
    kinds.set(name, same);
    same.parts.add(index);
  }
  let newBytes = 0;
  for (const { kind, schema: types, parts } of kinds.values()) {
    const keyOf = (part: number): OldPart | null => (parts.has(part) ? keys[part]! : null);
    const positions = moved.claim(layout, keyOf);
    if (positions.length === 0) continue;
    const copied = await copyRows(run, composeLayout(layout, positions), kind, types);
    moved.note(layout, keyOf, positions, copied.rows);
    newBytes += copied.newBytes;
  }
  return newBytes;
}

/** Where the digests stand: parts have their own; those of columns stay where they are, unless that is left, too. */
async function digestsFor(
  { store, leaving }: CopyRun,
  layout: Layout,
  rows: Layout,
  reader: TableReader,
): Promise<{ digests?: Layout['digests']; bytes: number }> {
  if (rows.parts.every(isWhole)) return { bytes: 0 };
  const digests = digestsOf(layout);
  if (!digests.parts.some(({ id }) => leaving.has(id))) return { digests, bytes: 0 };
  const stored = await storeDigests(store, await reader.digests());
  return { digests: stored.map, bytes: stored.newBytes };
}

/** The new layout must give the ids that the records say, and the very lines that the old one gives. */
async function assertSame(
  { store, engine, leaving }: CopyRun,
  table: TableFacts,
  before: TableReader,
  layout: Layout,
  schema: TableSchema,
): Promise<void> {
  const after = await openLayout(store, engine, schema, layout);
  try {
    const digests = await after.digests();
    const builder = new TableTreeBuilder();
    builder.push(digests);
    const { rows, root } = builder.finish();
    if (formatTableId(rows, root) !== table.ref.table) throw notSame(table, 'the rows');
    if (formatSetRoot(rows, setTree(digests).root) !== table.setRoot) throw notSame(table, 'the set of its rows');
    const movedWhole = table.parts.some(({ part }) => isWhole(part) && leaving.has(part.id));
    // Of lines the spelling counts, too; and digests that lie apart from the rows do not say where those stand now.
    const read = movedWhole || layout.digests !== undefined;
    if (read && (await linesDigest(before)) !== (await linesDigest(after))) throw notSame(table, 'the lines');
  } finally {
    await after.close();
  }
}

async function linesDigest(reader: TableReader): Promise<string> {
  const hash = createHash('sha256');
  for await (const { bytes } of reader.jsonLines()) hash.update(bytes);
  return hash.digest('hex');
}

function notSame({ versions }: TableFacts, what: string): HoldoutError {
  return new HoldoutError(
    'STORE_CORRUPT',
    `${versions.join(', ')}: ${what} would not be the same; nothing was changed`,
    {
      hint: '`holdout verify --read-data` says whether the store is damaged',
    },
  );
}

async function sizeOf(store: CopyRun['store'], layout: Layout, id: Sha256Id): Promise<LayoutSize> {
  return { parts: layout.parts.length, pieces: layout.pieces.length, bytes: await layoutBytes(store, id) };
}
