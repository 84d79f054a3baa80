/**
 * `diff`: rows added and removed between two tables; with key columns also rows changed, field by field. Only digests
 * are compared; of the rows themselves no more are read than are shown.
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FieldRoles } from '../../schemas/records.ts';
import type { Column, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { schemaId } from '../identity/ids.ts';
import { type RowText, fetchFields, fetchRows } from '../tables/rows-at.ts';
import { columnsByName } from '../tables/sql-types.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { pairRows, unpaired } from './pair-rows.ts';
import { differenceOf } from './row-difference.ts';

export interface DiffOptions {
  /** Columns that say which row is which; without them the `id` role, or a column `id`; `[]` for none. */
  readonly key?: readonly string[] | undefined;
  readonly fields?: FieldRoles | undefined;
  /** Rows of each kind that are shown; counts are always exact. */
  readonly rowsMax?: number | undefined;
  /** Folder for digests. */
  readonly workDirectory: string;
}

/** A row of one table only. */
export type DiffRow = RowText;

/** A row of both tables by its key, with the fields that differ, as JSON text; null where a table lacks the column. */
export interface ChangedRow {
  readonly before: number;
  readonly after: number;
  readonly key: string;
  readonly fields: readonly { readonly name: string; readonly before: string | null; readonly after: string | null }[];
}

/** A column that only one table has, or that has other types. */
export interface SchemaChange {
  readonly name: string;
  readonly before: Column['type'] | null;
  readonly after: Column['type'] | null;
}

export interface TableDiff {
  /** No row and no type differs. Order may. */
  readonly same: boolean;
  /** The same rows stand in another order. */
  readonly reordered: boolean;
  /** Empty where the schemas agree. `sameValues` and changes: the same values under another schema. */
  readonly schema: readonly SchemaChange[];
  readonly sameSchema: boolean;
  readonly sameValues: boolean;
  readonly key: readonly string[];
  readonly counts: {
    readonly added: number;
    readonly removed: number;
    readonly changed: number;
    readonly unchanged: number;
  };
  readonly added: readonly DiffRow[];
  readonly removed: readonly DiffRow[];
  readonly changed: readonly ChangedRow[];
}

const rowsMaxDefault = 1000;

/**
 * Compares two tables. The engine must have been opened to read them both.
 * @throws HoldoutError `USAGE` when a key column is missing, `IO`
 */
export async function diffTables(
  engine: Engine,
  before: TableReader,
  after: TableReader,
  options: DiffOptions,
): Promise<TableDiff> {
  const rowsMax = options.rowsMax ?? rowsMaxDefault;
  const folder = await mkdtemp(join(options.workDirectory, 'diff-'));
  try {
    const digestFile = async (reader: TableReader, name: string): Promise<{ path: string; rows: number }> => {
      const path = join(folder, name);
      await writeFile(path, await reader.digests());
      return { path, rows: reader.rows };
    };
    const difference = await differenceOf(await digestFile(before, 'before'), await digestFile(after, 'after'));
    const key = keyOf(before.schema, after.schema, options);
    const { removed, added } = difference;
    const partners = await pairRows(engine, { reader: before, rows: removed }, { reader: after, rows: added }, key);
    const changes = partners.reduce((sum, partner) => sum + (partner === unpaired ? 0 : 1), 0);
    const schema = schemaChanges(before.schema, after.schema);
    const sameSchema = schemaId(before.schema) === schemaId(after.schema);
    const sameValues = removed.length === 0 && added.length === 0;
    return {
      same: sameValues && sameSchema,
      reordered: !difference.sameOrder,
      schema,
      sameSchema,
      sameValues,
      key: key.map(({ name }) => name),
      counts: {
        added: added.length - changes,
        removed: removed.length - changes,
        changed: changes,
        unchanged: difference.shared,
      },
      added: await fetchRows(
        engine,
        after,
        firstOf(added, rowsMax, (_, index) => partners[index] === unpaired),
      ),
      removed: await fetchRows(engine, before, firstWithout(removed, partners, rowsMax)),
      changed: await changedRows(engine, before, after, key, firstPairs(added, partners, rowsMax)),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function keyOf(before: TableSchema, after: TableSchema, options: DiffOptions): readonly Column[] {
  const [a, b] = [columnsByName(before), columnsByName(after)];
  for (const name of options.key ?? []) {
    if (a.has(name) && b.has(name)) continue;
    throw new HoldoutError('USAGE', `no column "${name}" in both tables to tell rows by`, {
      hint: `Both have ${[...a.keys()].filter((each) => b.has(each)).join(', ') || 'no column in common'}.`,
    });
  }
  const names = options.key ?? options.fields?.id ?? (a.has('id') ? ['id'] : []);
  if (!names.every((name) => a.has(name) && b.has(name))) return [];
  return names.map((name) => a.get(name)!);
}

function schemaChanges(before: TableSchema, after: TableSchema): SchemaChange[] {
  const [a, b] = [columnsByName(before), columnsByName(after)];
  const changes: SchemaChange[] = [];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [old, now] = [a.get(name)?.type ?? null, b.get(name)?.type ?? null];
    if (JSON.stringify(old) !== JSON.stringify(now)) changes.push({ name, before: old, after: now });
  }
  return changes;
}

interface Pair {
  readonly before: number;
  readonly after: number;
}

/** The first of these rows for which that holds. */
function firstOf(
  rows: Uint32Array,
  rowsMax: number,
  holds: (row: number, index: number) => boolean,
): readonly number[] {
  const first: number[] = [];
  for (let index = 0; index < rows.length && first.length < rowsMax; index++) {
    if (holds(rows[index]!, index)) first.push(rows[index]!);
  }
  return first;
}

/** The first of these rows that are nobody's partner. */
function firstWithout(rows: Uint32Array, partners: Uint32Array, rowsMax: number): readonly number[] {
  const paired = new Uint8Array((rows.at(-1) ?? -1) + 1);
  for (const partner of partners) if (partner !== unpaired) paired[partner] = 1;
  return firstOf(rows, rowsMax, (row) => paired[row] === 0);
}

function firstPairs(added: Uint32Array, partners: Uint32Array, rowsMax: number): readonly Pair[] {
  const first: Pair[] = [];
  for (let index = 0; index < added.length && first.length < rowsMax; index++) {
    if (partners[index] !== unpaired) first.push({ before: partners[index]!, after: added[index]! });
  }
  return first;
}

async function changedRows(
  engine: Engine,
  before: TableReader,
  after: TableReader,
  key: readonly Column[],
  pairs: readonly Pair[],
): Promise<ChangedRow[]> {
  const old = await fetchFields(
    engine,
    before,
    pairs.map((pair) => pair.before),
  );
  const now = await fetchFields(
    engine,
    after,
    pairs.map((pair) => pair.after),
  );
  const names = [...new Set([...before.schema.columns, ...after.schema.columns].map(({ name }) => name))];
  return pairs.map((pair) => {
    const a = old.get(pair.before)!;
    const b = now.get(pair.after)!;
    const fields = names
      .map((name) => ({ name, before: a.get(name) ?? null, after: b.get(name) ?? null }))
      // Absent and null are one value.
      .filter((field) => (field.before ?? 'null') !== (field.after ?? 'null'));
    const keyText = `{${key.map(({ name }) => `${JSON.stringify(name)}:${b.get(name) ?? 'null'}`).join(',')}}`;
    return { before: pair.before, after: pair.after, key: keyText, fields };
  });
}
