import { afterEach, describe, expect, it } from 'vitest';
import { tableSchema } from '../../dist/schemas/table-schema.js';
import { verifyStore } from '../../dist/src/snapshots/verify.js';
import { isWhole } from '../../dist/src/tables/layout.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import { OwnSteps } from './own-steps.js';

const rows = Array.from({ length: 1200 }, (_, n) => ({
  id: n,
  text: `row ${n} of ${n % 7}`,
  ratio: n / 4,
  whole: (n % 9) * 2 ** 40,
  tags: n % 3 === 0 ? null : [`a${n % 5}`, 'b'],
  meta: { source: n % 2 === 0 ? 'web' : null, at: n },
  free: n % 2 === 0 ? { deep: [n, '0.10'] } : `text ${n}`,
  day: '2026-01-02',
}));

let project: OwnSteps;
afterEach(async () => project.remove());

/** Takes a step and says of which columns its table stores new values; checks its id against the same rows added. */
async function columnsStored(step: string, data: readonly unknown[] = rows, files = {}): Promise<readonly string[]> {
  project = await OwnSteps.make(data, files);
  await project.take(step);
  const { store } = project.workspace;
  const { entry, record } = await project.workspace.version('out');
  const schema = await store.getRecord(record.schema, tableSchema);
  const path = await project.workspace.write('again.jsonl', (await project.workspace.lines('out', true)).join('\n'));
  expect(await project.workspace.add('again', path, { schema })).toMatchObject({ table: record.table });
  const verified = await project.workspace.engine((engine) => verifyStore(store, { readData: true, engine }));
  expect(verified).toMatchObject({ ok: true });
  const { parts } = await readLayout(store, entry.layout!);
  return parts.flatMap((part) =>
    isWhole(part) ? ['rows'] : part.sources.slice(1).flatMap(({ columns }) => columns.map(([name]) => name)),
  );
}

/** In one process, or checked on a sample and then run in as many as there are threads. */
const ofModule = (body: string, more = ', deterministic: false'): Promise<readonly string[]> =>
  columnsStored(`module: {path: m.ts${more}}`, rows, { 'm.ts': `export default (row) => ${body}` });

describe('of new rows only columns with other values are stored', () => {
  it.each([
    ['one column of all', '({ ...row, text: row.text + "!" })', ['text']],
    [
      'one column of some, others gone',
      'row.id % 3 === 0 ? null : row.id % 2 === 0 ? row : { ...row, ratio: row.id + 0.5 }',
      ['rows', 'ratio'],
    ],
    [
      'a column whose type widens',
      'row.id % 2 === 0 ? { ...row, id: row.id + 0.5 } : { ...row, id: row.id }',
      ['id', 'rows'],
    ],
    ['two rows of one', '[{ ...row, text: "x" }, { ...row, text: "y" }]', ['text', 'text']],
    ['a new column', '({ ...row, more: [row.id] })', ['more']],
    ['a column that goes', '(({ text, ...rest }) => rest)(row)', []],
    [
      'a column that goes from some rows',
      'row.id % 2 ? (({ text, ...rest }) => rest)(row) : { ...row, meta: null }',
      ['meta', 'text'],
    ],
    ['a column under another name', '(({ text, ...rest }) => ({ ...rest, body: text }))(row)', ['body']],
    ['members that were absent', '({ ...row, id: -row.id, tags: row.tags ?? undefined })', ['id']],
    ['a nested value', '{ row.meta.at += 1; return row; }', ['meta']],
  ])('%s', async (_, body, stored) => {
    expect((await ofModule(body)).toSorted()).toEqual([...stored].toSorted());
  });

  it('changed by one process or by another', async () => {
    // Processes take turns at batches of 512 rows.
    const body = 'row.id < 512 ? { ...row, text: "x" } : { ...row, ratio: row.id + 0.5 }';
    expect((await ofModule(body, '')).toSorted()).toEqual(['ratio', 'text']);
  });

  it('but rows whole where they are few', async () => {
    expect(await ofModule('row.id === 3 ? { ...row, text: "x" } : row')).toEqual(['rows', 'rows']);
  });

  it.each([
    ['SELECT * REPLACE (upper(text) AS text) FROM input WHERE id % 3 > 0', ['text']],
    ['SELECT id, text AS body, upper(text) AS text, meta FROM input AS i ORDER BY ratio DESC', ['text']],
    ['SELECT * EXCLUDE (tags), meta.source AS source, free AS again FROM input', ['source']],
    ['SELECT upper(text) AS text, text AS again, id FROM input', ['text']],
    ['SELECT id + 1 AS id, text FROM input LIMIT (SELECT 3)', ['rows']],
    ['SELECT text, count(*) AS n FROM input GROUP BY text', ['rows']],
  ])('by %s', async (query, stored) => {
    expect(await columnsStored(`sql: {query: ${JSON.stringify(query)}, deterministic: false}`)).toEqual(stored);
  });

  it.each([
    ['rows reversed at the end', 'row.ratio += 1; held.push(row);', ['ratio']],
    [
      'some dropped, some twice',
      'if (row.id % 3) give(row); if (row.id % 5) { row.meta.at += 1; give(row); }',
      ['meta', 'meta'],
    ],
    ['a new column, one gone', 'delete row.tags; row.more = row.id; give(row);', ['more']],
    ['rows and members in another order', 'held.push(Object.fromEntries(Object.entries(row).reverse()));', []],
    ['a column that becomes text', 'row.id = `n${row.id}`; give(row);', ['id']],
  ])('by a command that carries row numbers: %s', async (_, body, stored) => {
    const script = `import { createInterface } from 'node:readline';
const held = [];
const give = (row) => console.log(JSON.stringify(row, null, 1).replaceAll('\\n', ' '));
for await (const line of createInterface({ input: process.stdin })) {
  const row = JSON.parse(line);
  ${body}
}
for (const row of held.reverse()) give(row);
`;
    const step = JSON.stringify({ command: { run: [process.execPath, 'c.mjs'], carry: true } });
    expect(await columnsStored(step, rows, { 'c.mjs': script })).toEqual(stored);
  });

  it('whatever the numbers and the JSON that stay', async () => {
    const numbers = [
      '0.12345678901234567',
      '0.30000000000000004',
      '-0.0',
      '1e300',
      '1e-7',
      '12345678901234567890',
      '1e20',
      '5.0',
      '1e21',
    ];
    const data = rows.map((_, n) => {
      const number = numbers[n % numbers.length];
      return `{"id":${n},"ratio":${n / 3},"free":${n % 2 === 0 ? `{"b":[${number}],"a":{"c":${number},"":null}}` : '"text"'}}`;
    });
    const files = { 'm.ts': 'export default (row) => ({ ...row, id: row.id + 1 });' };
    expect(await columnsStored('module: {path: m.ts}', data, files)).toEqual(['id']);
  });
});
