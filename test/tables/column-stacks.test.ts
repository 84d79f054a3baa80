import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tableSchema } from '../../dist/schemas/table-schema.js';
import type { Column, TableSchema } from '../../dist/schemas/table-schema.js';
import type { Engine } from '../../dist/src/engine/engine.js';
import { openStoreEngine } from '../../dist/src/snapshots/store-engine.js';
import { concatLayouts } from '../../dist/src/tables/layout-columns.js';
import { composeLayout } from '../../dist/src/tables/layout-builder.js';
import { decodeLayout, encodeLayout } from '../../dist/src/tables/layout-file.js';
import { addressesOf } from '../../dist/src/tables/layout.js';
import type { Layout } from '../../dist/src/tables/layout.js';
import { columnsStoredOtherwise, readLayout } from '../../dist/src/tables/stored-parts.js';
import { openLayout } from '../../dist/src/tables/table-reader.js';
import { attachColumns } from '../../dist/src/tables/attach-columns.js';
import { computeColumns } from '../../dist/src/tables/write-columns.js';
import { Workspace } from '../snapshots/workspace.ts';
import { expectConsistent } from './consistent.ts';

type Value = string | number | null;
type Row = Readonly<Record<string, Value>>;

/** A table three times: as a layout, as rows in JavaScript, and its schema. */
interface Table {
  readonly layout: Layout;
  readonly schema: TableSchema;
  readonly rows: readonly Row[];
}

const columns: readonly Column[] = [
  { name: 'id', type: 'BIGINT' },
  { name: 'text', type: 'VARCHAR' },
  { name: 'when', type: 'DATE' },
  { name: 'file_row_number', type: 'BIGINT' },
];
const texts = ['', 'a', 'żółw 🐢', '"quoted"', null, 'line\nend'];

let space: Workspace;
let engine: Engine;
let bases: readonly Table[];
beforeAll(async () => {
  space = await Workspace.make();
  // DATE makes a typed part; without it the rows are kept as lines. One part has a column of the reader's own name.
  const base = async (name: string, count: number, names: readonly string[]): Promise<Table> => {
    const own = columns.filter((column) => names.includes(column.name));
    const schema: TableSchema = { type: 'holdout/schema@1', columns: own };
    const rows = Array.from({ length: count }, (_, i): Row => {
      const value: Row = {
        id: i * 3 + count,
        text: texts[(i * 7 + count) % texts.length] ?? null,
        when: i % 4 === 1 ? null : `2024-0${1 + (i % 9)}-11`,
        file_row_number: 1000 - i,
      };
      return Object.fromEntries(own.map(({ name: column }) => [column, value[column] ?? null]));
    });
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await space.add(name, await space.write(`${name}.jsonl`, text), { schema });
    const { entry, record } = await space.version(name);
    const layout = await readLayout(space.store, entry.layout!);
    return { layout, schema: await space.store.getRecord(record.schema, tableSchema), rows };
  };
  bases = [
    await base('lines', 90, ['id', 'text']),
    await base('typed', 60, ['id', 'text', 'when']),
    await base('numbered', 40, ['id', 'text', 'file_row_number']),
    await base('dated', 50, ['id', 'when', 'file_row_number']),
  ];
  engine = await openStoreEngine(space.store, { threads: 2 });
});
afterAll(async () => {
  await engine.close();
  await space.remove();
});

type Step =
  | { readonly kind: 'filter'; readonly modulo: number }
  | { readonly kind: 'pick'; readonly picks: readonly number[] }
  | { readonly kind: 'compute' | 'add' | 'rename' | 'drop'; readonly column: number }
  | { readonly kind: 'attach'; readonly replace: boolean }
  | { readonly kind: 'concat'; readonly base: number; readonly first: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 2, max: 5 }).map((modulo) => ({ kind: 'filter', modulo }) as const),
  fc.array(fc.nat(500), { maxLength: 120 }).map((picks) => ({ kind: 'pick', picks }) as const),
  fc.constant({ kind: 'pick', picks: Array.from({ length: 150 }, (_, i) => (i * 67) % 151) } as const),
  fc
    .tuple(fc.constantFrom('compute', 'add', 'rename', 'drop'), fc.nat(3))
    .map(([kind, column]) => ({ kind, column }) as const),
  fc.boolean().map((replace) => ({ kind: 'attach', replace }) as const),
  fc.tuple(fc.nat(3), fc.boolean()).map(([base, first]) => ({ kind: 'concat', base, first }) as const),
);

const dayAfter = (value: Value): Value =>
  value === null ? null : new Date(Date.parse(`${value}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

/** What `compute` makes of a value, in SQL and here. */
const changes: Readonly<Record<string, { readonly sql: (x: string) => string; readonly js: (value: Value) => Value }>> =
  {
    BIGINT: { sql: (x) => `${x} * 2 + 1`, js: (value) => (value === null ? null : Number(value) * 2 + 1) },
    VARCHAR: { sql: (x) => `coalesce(${x}, 'none') || '!'`, js: (value) => `${value ?? 'none'}!` },
    DATE: { sql: (x) => `(${x} + INTERVAL 1 DAY)::DATE`, js: dayAfter },
  };
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

let fresh = 0;
async function take(table: Table, by: Step): Promise<Table> {
  const { layout, schema, rows } = table;
  switch (by.kind) {
    case 'filter': {
      const bitmap = new Uint8Array(Math.ceil(rows.length / 8));
      rows.forEach((_row, i) => i % by.modulo !== 0 && (bitmap[i >>> 3]! |= 1 << (i & 7)));
      return { layout: composeLayout(layout, { bitmap }), schema, rows: rows.filter((_row, i) => i % by.modulo !== 0) };
    }
    case 'pick': {
      const keep = Uint32Array.from(rows.length === 0 ? [] : by.picks.map((pick) => pick % rows.length));
      return { layout: composeLayout(layout, keep), schema, rows: [...keep].map((position) => rows[position]!) };
    }
    case 'concat':
      return concat(by.first ? [bases[by.base]!, table] : [table, bases[by.base]!]);
    case 'attach':
      return attach(table, by.replace);
    default:
      return mapColumns(table, by.kind, by.column);
  }
}

/** Only tables whose columns of one name have one type; others must be cast first. */
function concat([one, two]: readonly [Table, Table]): Table {
  const clash = one.schema.columns.some(({ name, type }) =>
    two.schema.columns.some((other) => other.name === name && other.type !== type),
  );
  if (clash) return one.rows.length > two.rows.length ? one : two;
  const types = new Map([...one.schema.columns, ...two.schema.columns].map(({ name, type }) => [name, type]));
  const wider: Column[] = [...types].map(([name, type]) => ({ name, type }));
  const nulls = Object.fromEntries(wider.map(({ name }) => [name, null]));
  return {
    layout: concatLayouts([one.layout, two.layout]),
    schema: { type: 'holdout/schema@1', columns: wider },
    rows: [...one.rows, ...two.rows].map((row) => ({ ...nulls, ...row })),
  };
}

async function mapColumns(table: Table, kind: 'compute' | 'add' | 'rename' | 'drop', at: number): Promise<Table> {
  const { layout, schema, rows } = table;
  const column = schema.columns[at % schema.columns.length];
  if (column === undefined || (kind === 'drop' && schema.columns.length < 2)) return table;
  const { name, type } = column;
  const { sql, js } = changes[typeof type === 'string' ? type : '']!;
  const target = kind === 'compute' ? name : `${name} "n" ${++fresh}`;
  const made = kind === 'compute' || kind === 'add';
  const before = schema.columns.filter((each) => each !== column || kind === 'add');
  const output: Column[] = kind === 'drop' ? before : [{ name: target, type }, ...before];
  const kept = new Map(before.map((each) => [each.name, each.name]));
  if (kind === 'rename') kept.set(target, name);
  const changed = await computeColumns(space.store, engine, {
    layout,
    input: schema,
    output: { type: 'holdout/schema@1', columns: output },
    kept,
    computed: made ? [{ name: target, sql: sql(quote(name)) }] : [],
  });
  const value = (row: Row, wanted: string): Value => {
    if (wanted !== target || kind === 'drop') return row[wanted] ?? null;
    return made ? js(row[name] ?? null) : (row[name] ?? null);
  };
  return {
    layout: changed.layout,
    schema: { type: 'holdout/schema@1', columns: output },
    rows: rows.map((row) => Object.fromEntries(output.map(({ name: wanted }) => [wanted, value(row, wanted)]))),
  };
}

/** Values by position, as a program gives them that was handed the rows in order. */
async function attach(table: Table, replace: boolean): Promise<Table> {
  const { layout, schema, rows } = table;
  const gone = replace ? schema.columns[0]!.name : null;
  const before = schema.columns.filter(({ name }) => name !== gone);
  const [number, text] = [gone ?? `at "${++fresh}"`, `holdout_value_0 ${++fresh}`];
  const made: Column[] = [
    { name: number, type: 'BIGINT' },
    { name: text, type: 'VARCHAR' },
  ];
  const path = await space.store.tempPath('.parquet');
  await engine.run(
    `COPY (SELECT range * 10 AS ${quote(number)}, 'row ' || range AS ${quote(text)} FROM range(${rows.length}))
     TO ${engine.outputSql(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
  );
  const output: TableSchema = { type: 'holdout/schema@1', columns: [...before, ...made] };
  const changed = await attachColumns(space.store, engine, {
    layout,
    input: schema,
    output,
    kept: new Map(before.map(({ name }) => [name, name])),
    values: {
      kind: 'typed',
      path,
      rows: rows.length,
      logicalBytes: rows.length * 20,
      schema: { type: 'holdout/schema@1', columns: made },
    },
  });
  if (changed === null) return table;
  const value = (row: Row, wanted: string, at: number): Value =>
    wanted === number ? at * 10 : wanted === text ? `row ${at}` : (row[wanted] ?? null);
  return {
    layout: changed.layout,
    schema: output,
    rows: rows.map((row, at) => Object.fromEntries(output.columns.map(({ name }) => [name, value(row, name, at)]))),
  };
}

async function rowsOf(table: Table): Promise<Row[]> {
  const reader = await openLayout(space.store, engine, table.schema, table.layout);
  try {
    await expectConsistent(reader, engine);
    let text = '';
    for await (const { bytes } of reader.jsonLines({ canonical: true })) text += Buffer.from(bytes).toString();
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Row);
  } finally {
    await reader.close();
  }
}

describe('a table of stacked columns', () => {
  it('gives the rows that plain arrays give, after any stack of selections, mappings and concatenations', async () => {
    let stacked = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(3), fc.array(step, { minLength: 1, maxLength: 6 }), async (base, steps) => {
        let table = bases[base]!;
        for (const each of steps) table = await take(table, each);
        const back = decodeLayout(encodeLayout(table.layout));
        expect(addressesOf(back)).toEqual(addressesOf(table.layout));
        expect(encodeLayout(back)).toEqual(encodeLayout(table.layout));
        expect(await columnsStoredOtherwise(space.store, back, table.schema)).toEqual(new Set());
        if (back.digests !== undefined) stacked++;
        expect(await rowsOf({ ...table, layout: back })).toEqual(table.rows);
      }),
      { numRuns: 25 },
    );
    expect(stacked).toBeGreaterThan(5);
  }, 120_000);

  it('gives the rows in their order where it is so long that several threads read it', async () => {
    const rows = Array.from({ length: 132_000 }, (_, id): Row => ({ id }));
    await space.add('long', await space.write('long.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join('')));
    const { entry, record } = await space.version('long');
    const layout = await readLayout(space.store, entry.layout!);
    const schema = await space.store.getRecord(record.schema, tableSchema);
    const long = await mapColumns({ layout, schema, rows }, 'add', 0);
    for (const table of [long, await take(long, { kind: 'filter', modulo: 3 })]) {
      const reader = await openLayout(space.store, engine, table.schema, table.layout);
      let text = '';
      for await (const { bytes } of reader.jsonLines({ canonical: true })) text += Buffer.from(bytes).toString();
      expect(text === table.rows.map((row) => `${JSON.stringify(row)}\n`).join('')).toBe(true);
      const [wrong] = await engine.rows<{ rows: bigint; unlike: bigint }>(
        `SELECT count(*) AS "rows", count(*) FILTER (id <> p ${table === long ? '' : '+ p // 2 + 1'}) AS unlike
         FROM (${reader.relationSql({ position: 'p' })})`,
      );
      expect(wrong).toEqual({ rows: BigInt(table.rows.length), unlike: 0n });
      await reader.close();
    }
  });
});
