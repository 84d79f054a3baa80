import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tableSchema } from '../../dist/schemas/table-schema.js';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { Engine } from '../../dist/src/engine/engine.js';
import { exportParquet } from '../../dist/src/tables/export-parquet.js';
import { composeLayout } from '../../dist/src/tables/layout-builder.js';
import { concatLayouts } from '../../dist/src/tables/layout-columns.js';
import type { Layout } from '../../dist/src/tables/layout.js';
import { openReadTable } from '../../dist/src/tables/read-table-reader.js';
import { readTable } from '../../dist/src/tables/read/read-table.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import { openLayout } from '../../dist/src/tables/table-reader.js';
import { DerivedStore } from '../snapshots/derived-store.js';
import { chatRows, Workspace } from '../snapshots/workspace.ts';
import { expectConsistent } from './consistent.ts';

let space: Workspace;
beforeEach(async () => {
  space = await Workspace.make();
});
afterEach(() => space.remove());

const kinds = [
  '{"i":1,"big":170141183460469231731687303715884105,"f":1.5,"s":"é\\u0000\\"\\ufeffx","b":true,"l":[1,null,3],"o":{"k":"v","n":{"z":[{}]}},"j":[1,"x"]}',
  '{"i":-9007199254740993,"f":NaN,"s":"","b":null,"l":[],"o":{"n":null},"j":{"b":1.0,"a":[1e2,{"d":null}]}}',
  '{"f":-Infinity,"s":null,"j":"text"}',
  '{"f":1e300,"j":12345678901234567890123456789}',
  '{}',
];

describe('a stored table gives the same rows in every form', () => {
  it('from lines with values of every kind', async () => {
    await space.add('kinds', await space.write('kinds.jsonl', kinds.join('\n')));
    await space.read('kinds', (reader, engine) => expectConsistent(reader, engine));
  });

  it('from typed parts', async () => {
    const schema: TableSchema = {
      type: 'holdout/schema@1',
      columns: [
        { name: 'd', type: 'DATE' },
        { name: 'ts', type: 'TIMESTAMP' },
        { name: 'tz', type: 'TIMESTAMPTZ' },
        { name: 'u', type: 'UUID' },
        { name: 'bytes', type: 'BLOB' },
        { name: 'dec', type: { decimal: [10, 3] } },
        { name: 'file_row_number', type: 'BIGINT' },
        { name: 'n', type: { struct: [{ name: 'a"b', type: { list: 'DATE' } }] } },
      ],
    };
    const rows = Array.from({ length: 150 }, (_, i) =>
      i % 7 === 3
        ? '{}'
        : `{"d":"2024-01-${10 + (i % 20)}","ts":"2024-01-02T03:04:05.${100 + i}","tz":"2024-01-02T03:04:05+02:00",` +
          `"u":"00000000-0000-0000-0000-000000000${100 + i}","bytes":"AAEC","dec":"-0.${(i % 90) + 1}","file_row_number":${i},` +
          `"n":{"a\\"b":["2020-02-29",null]}}`,
    );
    await space.add('typed', await space.write('typed.jsonl', rows.join('\n')), { schema });
    await space.read('typed', async (reader, engine) => {
      expect(reader.keepsLines).toBe(false);
      await expectConsistent(reader, engine);
    });
  });

  it('from many parts, in pieces, shuffled and repeated', async () => {
    for (const seed of [1, 2, 3]) {
      await space.add('chat', await space.write(`${seed}.jsonl`, chatRows(100 * seed, seed).join('\n')));
    }
    const all = [1, 2, 3].flatMap((seed) => chatRows(100 * seed, seed));
    await space.add('all', await space.write('all.jsonl', all.join('\n')));
    const { entry, record } = await space.version('all');
    const layout = await readLayout(space.store, entry.layout!);
    expect(layout.parts.length).toBe(3);
    const schema = await space.store.getRecord(record.schema, tableSchema);
    const keep = Uint32Array.from({ length: 700 }, (_, i) => (i * i * 31 + i) % 600);
    await space.engine(async (engine) => {
      const reader = await openLayout(space.store, engine, schema, composeLayout(layout, keep));
      expect(reader.orderedSql()).toBeNull();
      await expectConsistent(reader, engine);
      let text = '';
      for await (const { bytes } of reader.jsonLines()) text += Buffer.from(bytes).toString();
      expect(text.split('\n').slice(0, -1)).toEqual([...keep].map((position) => all[position]));
      expect(() => reader.relationSql({ position: 'ID' })).toThrow(TypeError);
      await reader.close();
    });
  });

  it('as lines of single rows all over a large part, in any order', async () => {
    const all = Array.from({ length: 30_000 }, (_, n) => JSON.stringify({ n, text: `${n} `.repeat(200 + (n % 7)) }));
    await space.add('large', await space.write('large.jsonl', all.join('\n')));
    const { entry, record } = await space.version('large');
    const layout = await readLayout(space.store, entry.layout!);
    const schema = await space.store.getRecord(record.schema, tableSchema);
    const keep = Uint32Array.from({ length: 4000 }, (_, i) => (i * 17_389 + (i % 5)) % all.length);
    await space.engine(async (engine) => {
      const reader = await openLayout(space.store, engine, schema, composeLayout(layout, keep));
      for (const canonical of [false, true]) {
        let text = '';
        for await (const { bytes } of reader.jsonLines({ canonical })) text += Buffer.from(bytes).toString();
        expect(text.split('\n').slice(0, -1)).toEqual([...keep].map((position) => all[position]));
      }
      await reader.close();
    });
  });

  it('from whole parts end to end, by one reader, in their order on several threads', async () => {
    const all = Array.from({ length: 40_000 }, (_, n) => `{"n":${n},"text":"${'x'.repeat(n % 90)}"}`);
    const layouts: Layout[] = [];
    for (const [index, lines] of [all.slice(0, 25_000), all.slice(25_000)].entries()) {
      await space.add(`part${index}`, await space.write(`part${index}.jsonl`, lines.join('\n')));
      const { entry } = await space.version(`part${index}`);
      layouts.push(await readLayout(space.store, entry.layout!));
    }
    const { record } = await space.version('part0');
    const schema = await space.store.getRecord(record.schema, tableSchema);
    await space.engine(async (engine) => {
      const reader = await openLayout(space.store, engine, schema, concatLayouts(layouts));
      // The sides of a union wait for each other in memory or on disk.
      expect(reader.orderedSql()).not.toContain('UNION');
      const copy = engine.scratchPath('.parquet');
      await exportParquet(engine, reader, copy, { compat: false, workDirectory: space.folder });
      const copied = await engine.rows<{ n: bigint }>(`SELECT n FROM read_parquet(${engine.fileSql(copy)})`);
      expect(copied.map(({ n }) => Number(n))).toEqual(all.map((_, n) => n));
      await reader.close();
    });
  });

  const typedSchema: TableSchema = {
    type: 'holdout/schema@1',
    columns: [
      { name: 'n', type: 'BIGINT' },
      { name: 'at', type: 'DATE' },
      { name: 'holdout_target', type: 'VARCHAR' },
    ],
  };
  for (const [what, schema] of [
    ['lines', undefined],
    ['typed values', typedSchema],
  ] as const) {
    it(`from ${what} of which filters left few, many, or none over long stretches`, async () => {
      const all = Array.from(
        { length: 9000 },
        (_, n) => `{"n":${n},"at":"2024-02-0${1 + (n % 9)}","holdout_target":"x"}`,
      );
      await space.add('all', await space.write('all.jsonl', all.join('\n')), schema === undefined ? {} : { schema });
      const { entry, record } = await space.version('all');
      const layout = await readLayout(space.store, entry.layout!);
      const stored = await space.store.getRecord(record.schema, tableSchema);
      const rows = Uint32Array.from(all.keys());
      const kept: Record<string, Uint32Array> = {
        'two of three': rows.filter((n) => n % 3 !== 1 && n < 5000),
        'with a long gap': rows.filter((n) => n % 5 !== 2 && (n < 1500 || n > 7000)),
        'one of forty, with a long gap': rows.filter((n) => n % 40 === 3 && (n < 1000 || n > 6500)),
        'many, but out of order': rows.filter((n) => n % 3 !== 1 && n > 6500).reverse(),
      };
      await space.engine(async (engine) => {
        for (const [name, keep] of Object.entries(kept)) {
          const reader = await openLayout(space.store, engine, stored, composeLayout(layout, keep));
          expect(reader.orderedSql(), name).toBeNull();
          await expectConsistent(reader, engine);
          const found = await engine.rows<{ n: bigint }>(
            `SELECT n FROM (${reader.relationSql({ position: 'p' })}) ORDER BY p`,
          );
          expect(
            found.map(({ n }) => Number(n)),
            name,
          ).toEqual([...keep]);
          await reader.close();
        }
      });
    });
  }

  it('from any rows of parts of lines and of columns beside them, at any edge of a word, cell or row group', async () => {
    const made = await DerivedStore.make();
    onTestFinished(() => made.remove());
    const { workspace } = made;
    const all = Array.from({ length: 8697 }, (_, n) => `{"n":${n}, "text":"x${n % 13}"}`);
    for (const end of [8300, 8397, all.length]) {
      await workspace.add('lines', await workspace.write('all.jsonl', all.slice(0, end).join('\n')));
    }
    await made.derive('lines', 'columns', 'derive: {columns: {more: "n + 1"}}');
    const stretch = fc.tuple(
      fc.nat(all.length - 1),
      fc.constantFrom(1, 2, 31, 32, 33, 63, 64, 65, 257, 2048, 3000),
      fc.constantFrom<(n: number) => boolean>(
        () => true,
        (n) => n % 2 === 0,
        (n) => n % 32 < 2,
        (n) => n % 32 > 29,
      ),
    );
    for (const name of ['lines', 'columns']) {
      const { entry, record } = await workspace.version(name);
      const layout = await readLayout(workspace.store, entry.layout!);
      expect(layout.parts).toHaveLength(3);
      const schema = await workspace.store.getRecord(record.schema, tableSchema);
      const lines = await workspace.lines(name);
      await workspace.engine((engine) =>
        fc.assert(
          fc.asyncProperty(fc.array(stretch, { minLength: 1, maxLength: 40 }), fc.boolean(), async (chosen, sorted) => {
            const rows = chosen.flatMap(([from, length, wanted]) =>
              Array.from({ length: Math.min(length, all.length - from) }, (_, i) => from + i).filter(wanted),
            );
            const keep = sorted ? Uint32Array.from(new Set(rows)).sort() : Uint32Array.from(rows);
            const reader = await openLayout(workspace.store, engine, schema, composeLayout(layout, keep));
            const found = await engine.rows<{ n: bigint; p: bigint }>(
              `SELECT n, p FROM (${reader.relationSql({ position: 'p' })}) ORDER BY p`,
            );
            expect(found.map(({ n, p }) => [Number(p), Number(n)])).toEqual(Array.from(keep, (n, p) => [p, n]));
            let text = '';
            for await (const { bytes } of reader.jsonLines({ bytesMax: 20_000 })) text += Buffer.from(bytes).toString();
            expect(text.split('\n').slice(0, -1)).toEqual(Array.from(keep, (n) => lines[n]));
            await reader.close();
          }),
          { numRuns: 15 },
        ),
      );
    }
  });

  it('from an empty table', async () => {
    await space.add('none', await space.write('none.jsonl', ''));
    await space.read('none', async (reader) => {
      expect(reader.rows).toBe(0);
      expect((await reader.digests()).length).toBe(0);
      for await (const _ of reader.blocks()) throw new Error('a block of an empty table');
      for await (const _ of reader.jsonLines()) throw new Error('lines of an empty table');
    });
  });
});

describe('files just read give the same rows in every form', () => {
  const files: Record<string, string> = {
    plain: kinds.join('\n'),
    'with CRLF, blank lines and a byte order mark': `\ufeff${kinds.join('\r\n\r\n')}\r\n`,
    'with a carriage return inside a row': '{"i":\r1}\n{"i":2}\n',
  };
  for (const [what, content] of Object.entries(files)) {
    it(`JSON Lines ${what}, beside a JSON array`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'holdout-read-'));
      const paths = [join(folder, 'a.jsonl'), join(folder, 'b.json')];
      await writeFile(paths[0]!, content);
      await writeFile(paths[1]!, '[{"i": 5, "s": "in a JSON array"}]');
      const table = await readTable(paths, { workDirectory: folder, threads: 1 });
      const engine = await Engine.open({
        tempDirectory: folder,
        readPaths: table.bodies.map(({ path }) => path),
        writeDirectories: [folder],
        threads: 2,
      });
      const reader = await openReadTable(engine, table, { workDirectory: folder });
      await expectConsistent(reader, engine);
      await reader.close();
      await engine.close();
      await table.dispose();
      await rm(folder, { recursive: true, force: true });
    });
  }
});
