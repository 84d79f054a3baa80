import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sha256Id } from '../../dist/schemas/ids.js';
import { tableSchema } from '../../dist/schemas/table-schema.js';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { composeLayout } from '../../dist/src/tables/layout-builder.js';
import { concatLayouts } from '../../dist/src/tables/layout-columns.js';
import type { Layout } from '../../dist/src/tables/layout.js';
import { lineBlocks } from '../../dist/src/tables/line-blocks.js';
import type { RowFile } from '../../dist/src/tables/row-file.js';
import { isScattered } from '../../dist/src/tables/scattered.js';
import { openLayoutPart, readLayout } from '../../dist/src/tables/stored-parts.js';
import { openLayout } from '../../dist/src/tables/table-reader.js';
import { Workspace } from '../snapshots/workspace.ts';
import { expectConsistent } from './consistent.ts';

const schema: TableSchema = {
  type: 'holdout/schema@1',
  columns: [
    { name: 'id', type: 'BIGINT' },
    { name: 'text', type: 'VARCHAR' },
    { name: 'when', type: 'DATE' },
    { name: 'at', type: 'TIMESTAMPTZ' },
    { name: 'bytes', type: 'BLOB' },
    { name: 'dec', type: { decimal: [10, 3] } },
    { name: 'file_row_number', type: 'BIGINT' },
    { name: 'any', type: 'JSON' },
    { name: 'n', type: { struct: [{ name: 'a"b', type: { list: 'DATE' } }] } },
  ],
};

/** Spelled with a space, which only the line as it was read keeps; row 7 is longer than any buffer before the spool. */
function lineOf(i: number): string {
  return `{"id": ${i},"text":"${i === 7 ? 'long żółw '.repeat(200_000) : `row ${i} \\n 🐢`}"}`;
}

function typedLineOf(i: number): string {
  return i % 7 === 3
    ? '{}'
    : `{"id":${i},"when":"2024-01-${10 + (i % 20)}","at":"2024-01-02T03:04:05+02:00","bytes":"AAEC","dec":"-0.${(i % 90) + 1}",` +
        `"file_row_number":${i},"any":{"b":[1,${i}]},"n":{"a\\"b":["2020-02-29",null]}}`;
}

let space: Workspace;
let lines: { readonly layout: Layout; readonly schema: TableSchema };
let typed: typeof lines;
beforeAll(async () => {
  space = await Workspace.make();
  const open = async (name: string, texts: readonly string[], under?: TableSchema): Promise<typeof lines> => {
    const options = under === undefined ? {} : { schema: under };
    await space.add(name, await space.write(`${name}.jsonl`, texts.join('\n')), options);
    const { entry, record } = await space.version(name);
    const layout = await readLayout(space.store, entry.layout!);
    return { layout, schema: await space.store.getRecord(record.schema, tableSchema) };
  };
  lines = await open(
    'lines',
    Array.from({ length: 400 }, (_, i) => lineOf(i)),
  );
  typed = await open(
    'typed',
    Array.from({ length: 300 }, (_, i) => typedLineOf(i)),
    schema,
  );
});
afterAll(() => space.remove());

/** Positions of `rows` rows in no order; some come more than once, some not at all. */
function strewn(count: number, rows: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => (i * i * 31 + i * 17) % rows);
}

/** The lines of a layout, with `readBytesMax` so small that a strewn table must be spooled, or as large as ever. */
async function textOf(
  layout: Layout,
  schema: TableSchema,
  verbatim: boolean,
  readBytesMax?: number,
): Promise<{ readonly text: string; readonly firstRows: readonly number[] }> {
  let text = '';
  const firstRows: number[] = [];
  await space.engine(async (engine) => {
    const files: RowFile[] = [];
    for (const part of layout.parts) files.push(await openLayoutPart(space.store, part));
    let rows = 0;
    for await (const block of lineBlocks(engine, files, schema, layout, { verbatim, bytesMax: 3000, readBytesMax })) {
      expect(block.firstRow).toBe(rows);
      rows += block.rows;
      firstRows.push(block.firstRow);
      text += Buffer.from(block.bytes).toString();
    }
    expect(rows).toBe(layout.rows);
  });
  return { text, firstRows };
}

describe('a table whose rows are strewn over its parts', () => {
  it('has the lines of its rows in order, however little is put in order at once', async () => {
    const picks = strewn(900, 400);
    const layout = composeLayout(lines.layout, picks);
    const expected = [...picks].map((row) => `${lineOf(row)}\n`).join('');
    for (const bytes of [1500, 20_000, 32 << 20]) {
      expect((await textOf(layout, lines.schema, true, bytes)).text === expected).toBe(true);
    }
    const canonical = await textOf(layout, lines.schema, false);
    expect((await textOf(layout, lines.schema, false, 1500)).text === canonical.text).toBe(true);
    expect(canonical.text.startsWith('{"id":0,"text":')).toBe(true);
  });

  it('has them where its parts are of several kinds', async () => {
    const both = concatLayouts([lines.layout, typed.layout]);
    const layout = composeLayout(both, strewn(1100, 700));
    const expected = await textOf(layout, schema, true);
    expect((await textOf(layout, schema, true, 2000)).text === expected.text).toBe(true);
  });

  it('gives the same rows as relation, blocks, lines and digests, of typed parts too', async () => {
    await space.engine(async (engine) => {
      for (const table of [lines, typed]) {
        const layout = composeLayout(table.layout, strewn(700, table.layout.rows));
        const reader = await openLayout(space.store, engine, table.schema, layout);
        await expectConsistent(reader, engine);
        await reader.close();
      }
    });
  });

  it('leaves no file behind, also when the reader stops early', async () => {
    await space.engine(async (engine) => {
      const folder = dirname(engine.scratchPath());
      for (const table of [lines, typed]) {
        const layout = composeLayout(table.layout, strewn(700, table.layout.rows));
        const reader = await openLayout(space.store, engine, table.schema, layout);
        let during = 0;
        for await (const _ of reader.blocks({ rowsMax: 50 })) {
          during = (await scratchFiles(folder)).length;
          break;
        }
        expect(during).toBeGreaterThan(0);
        expect(await scratchFiles(folder)).toEqual([]);
        await reader.close();
      }
    });
  });
});

async function scratchFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('scratch-'));
}

describe('a table is taken for strewn', () => {
  const part = { id: `sha256:${'0'.repeat(64)}` as Sha256Id, rows: 100_000 };
  const file: RowFile = { kind: 'lines', path: 'x', rows: part.rows, logicalBytes: part.rows * 100, schema };
  const groups = [Array.from({ length: 11 }, (_, i) => i * 10_000)];
  const whole = { rows: part.rows, parts: [part], pieces: [{ kind: 'range', rows: part.rows, from: 0 } as const] };
  const bounds = { bytesMax: 1 << 20 };

  it('when its blocks would read the parts again and again', () => {
    const shuffled = composeLayout(
      whole,
      Uint32Array.from({ length: part.rows }, (_, i) => (i * 7919) % part.rows),
    );
    expect(isScattered(shuffled, [file], groups, bounds)).toBe(true);
    expect(isScattered(shuffled, [file], groups, { bytesMax: 1 << 30 })).toBe(false);
    expect(isScattered(shuffled, [file], groups, { bytesMax: 1 << 30, rowsMax: 1000 })).toBe(true);
  });

  it('but not when few rows are left of it, in their order', () => {
    const filtered = composeLayout(
      whole,
      Uint32Array.from({ length: 1000 }, (_, i) => i * 100),
    );
    expect(isScattered(whole, [file], groups, bounds)).toBe(false);
    expect(isScattered(filtered, [file], groups, { bytesMax: 50_000 })).toBe(false);
  });
});
