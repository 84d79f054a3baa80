import { Field, List, makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct, Utf8 } from 'apache-arrow';
import type { Data } from 'apache-arrow';
import { expect, it } from 'vitest';
import type { ColumnType } from '../../dist/schemas/table-schema.js';
import { useWorkplace } from './files.ts';

const place = useWorkplace();

const nested = (inner: string, levels: number): string => '['.repeat(levels) + inner + ']'.repeat(levels);
const listOf = (type: ColumnType, levels: number): ColumnType =>
  levels === 0 ? type : { list: listOf(type, levels - 1) };

const row = (inner: string): string => `{"a":${nested(`{"b":${nested(inner, 6)}}`, 7)}}\n`;

function arrowLists(levels: number): Data {
  if (levels === 0) {
    return makeData({ type: new Utf8(), data: Buffer.from('x'), valueOffsets: Int32Array.of(0, 1), length: 1 });
  }
  const child = arrowLists(levels - 1);
  const type = new List(new Field('item', child.type));
  return makeData({ type, length: 1, valueOffsets: Int32Array.of(0, 1), child });
}

function arrowFile(levels: number): Uint8Array {
  const child = arrowLists(levels);
  const fields = [new Field('a', child.type, true)];
  const writer = new RecordBatchFileWriter();
  writer.write(
    new RecordBatch(
      new Schema(fields),
      makeData({ type: new Struct(fields), length: 1, nullCount: 0, children: [child] }),
    ),
  );
  return writer.finish().toUint8Array(true);
}

it('lists inside twelve lists are JSON, whatever file they come from, and the id is the same', async () => {
  for (const levels of [12, 13, 15]) {
    const lines = await place.read(await place.write('a.jsonl', `{"a":${nested('"x"', levels)}}\n`));
    const parquet = await place.read(await place.parquet('a.parquet', `SELECT ${nested("'x'", levels)} AS a`));
    const arrow = await place.read(await place.write('a.arrow', arrowFile(levels)));
    const type = levels === 12 ? listOf('VARCHAR', 12) : listOf('JSON', 12);
    for (const { schema, table } of [lines, parquet, arrow]) {
      expect(schema.columns).toEqual([{ name: 'a', type }]);
      expect(table).toBe(lines.table);
    }
    for (const table of [lines, parquet, arrow]) await table.dispose();
  }
});

it('structs between lists do not start the count again, and a later version widens within it', async () => {
  const first = await place.read(await place.write('a.jsonl', row('null')));
  const b = (type: ColumnType): ColumnType => listOf({ struct: [{ name: 'b', type }] }, 7);
  expect(first.schema.columns[0]?.type).toEqual(b(listOf('JSON', 5)));
  await first.dispose();
  const short = await place.read(await place.write('b.jsonl', '{"a":[]}\n'));
  const later = await place.read(await place.write('c.jsonl', row('1')), { previousSchema: short.schema });
  expect(later.schema.columns[0]?.type).toEqual(b(listOf('JSON', 5)));
  for (const table of [short, later]) await table.dispose();
});

it('what JSON would not hold, and a declared type that is too deep, are refused', async () => {
  const dates = await place.parquet('a.parquet', `SELECT ${nested("DATE '2024-01-02'", 13)} AS a`);
  await expect(place.read(dates)).rejects.toMatchObject({ code: 'LIMIT' });
  const columns = [{ name: 'a', type: listOf('BIGINT', 13) }];
  const lines = place.read(await place.write('a.jsonl', `{"a":${nested('1', 13)}}\n`), {
    schema: { type: 'holdout/schema@1', columns },
  });
  await expect(lines).rejects.toMatchObject({ code: 'LIMIT', message: expect.stringContaining('declared') as string });
});

it('a U+FEFF at the start of an Arrow field name is part of it, in structs too', async () => {
  const child = arrowLists(0);
  const struct = (name: string): Data => {
    const type = new Struct([new Field(name, new Utf8(), true)]);
    return makeData({ type, length: 1, nullCount: 0, children: [child] });
  };
  const ids = new Set<string>();
  for (const [column, member] of [
    ['a', 'b'],
    ['\ufeffa', 'b'],
    ['a', '\ufeffb'],
  ] as const) {
    const data = struct(member);
    const fields = [new Field(column, data.type, true)];
    const writer = new RecordBatchFileWriter();
    writer.write(
      new RecordBatch(
        new Schema(fields),
        makeData({ type: new Struct(fields), length: 1, nullCount: 0, children: [data] }),
      ),
    );
    const back = await place.read(await place.write('n.arrow', writer.finish().toUint8Array(true)));
    expect(back.schema.columns).toEqual([{ name: column, type: { struct: [{ name: member, type: 'VARCHAR' }] } }]);
    ids.add(back.table);
    await back.dispose();
  }
  expect(ids.size).toBe(3);
});
