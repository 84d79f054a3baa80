/**
 * Tables at the edges of what a table can be, and for each step parameters that fit them: the columns of a chat dataset,
 * under plain names or under names and types that a step may stumble over.
 * @module
 */
import type { ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';

/** A table and how its columns are called. */
export interface EdgeTable {
  readonly name: string;
  /** JSON Lines. */
  readonly lines: string;
  readonly schema: TableSchema | null;
  /** The column that stands for one of the plain names. */
  readonly column: (plain: string) => string;
}

type Row = Readonly<Record<string, unknown>>;

const chat = [
  { from: 'human', value: 'How far is it?' },
  { from: 'gpt', value: 'Two miles.' },
];

/** A row with every column that the examples of the steps name. */
const plainRow = (i: number): Row => ({
  instruction: `Say what stands on page ${i} of the <b>book</b>, and write to a${i}@example.org.`,
  input: i % 2 === 0 ? '' : `page ${i}`,
  output: `It is said there that the river number ${i} rises in spring and that nobody minds.`,
  text: `It is the same text again and again, but for the number ${i}, that stands in it for all to see.`,
  question: `What is the number of row ${i}?`,
  prompt: `prompt ${i}`,
  completion: `completion ${i}`,
  metadata: `m${i}`,
  source: `s${i % 2}`,
  document: `d${i % 3}`,
  topic: `t${i % 2}`,
  answers: [`one ${i}`, 'two'],
  conversations: chat,
  score: i / 2,
  id: i,
});

const rowsOf = (count: number): readonly Row[] => Array.from({ length: count }, (_, i) => plainRow(i));
const same = (plain: string): string => plain;
const linesOf = (rows: readonly Row[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const turn: ColumnType = {
  struct: [
    { name: 'from', type: 'VARCHAR' },
    { name: 'value', type: 'VARCHAR' },
  ],
};
const typeOf = (name: string): ColumnType => {
  if (name === 'answers') return { list: 'VARCHAR' };
  if (name === 'conversations') return { list: turn };
  if (name === 'score') return 'DOUBLE';
  return name === 'id' ? 'BIGINT' : 'VARCHAR';
};
const plainNames = Object.keys(plainRow(0));
const plainSchema: TableSchema = {
  type: 'holdout/schema@1',
  columns: plainNames.map((name) => ({ name, type: typeOf(name) })),
};

const renamed = (row: Row, column: (plain: string) => string): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [column(name), value]));

const odd: Readonly<Record<string, string>> = {
  instruction: 'a"b',
  input: "it's; -- x",
  output: 'Ä',
  text: 'select',
  question: '🐢',
  prompt: 'x'.repeat(200),
  completion: 'line\nbreak',
  metadata: 'a b',
  source: 'holdout_position',
  document: 'a.b',
  topic: '%_\\',
  answers: 'rowid',
  score: '$1',
  id: 'file_row_number',
};
const oddName = (plain: string): string => odd[plain] ?? plain;

/** A column of every nested type; the plain names are spread over them. */
const nestedRow = (i: number): Row => ({
  struct: { a: i % 2, b: { c: [i, null], d: null } },
  list: [[`x${i % 2}`], [], null],
  map: { k: i % 2, other: null },
  json: i % 2 === 0 ? { any: [1, 'two', { three: null }] } : 'text',
  turns: chat,
  bytes: '00ff',
});
const nestedSchema: TableSchema = {
  type: 'holdout/schema@1',
  columns: [
    {
      name: 'struct',
      type: {
        struct: [
          { name: 'a', type: 'BIGINT' },
          {
            name: 'b',
            type: {
              struct: [
                { name: 'c', type: { list: 'BIGINT' } },
                { name: 'd', type: 'VARCHAR' },
              ],
            },
          },
        ],
      },
    },
    { name: 'list', type: { list: { list: 'VARCHAR' } } },
    { name: 'map', type: { map: { key: 'VARCHAR', value: 'BIGINT' } } },
    { name: 'json', type: 'JSON' },
    { name: 'turns', type: { list: turn } },
    { name: 'bytes', type: 'BLOB' },
  ],
};
const nestedNames = nestedSchema.columns.map(({ name }) => name);
const nestedName = (plain: string): string =>
  plain === 'conversations' ? 'turns' : (nestedNames[plainNames.indexOf(plain) % nestedNames.length] ?? 'struct');

/** Of so many columns the last are the plain ones. By hand the steps were tried with 1,000 of them. */
const wideTable = (columns: number): EdgeTable => {
  const more = Array.from({ length: columns - plainNames.length }, (_, i) => [`c${i}`, i % 3 === 0 ? `v${i}` : i]);
  const rows = rowsOf(3).map((row) => ({ ...Object.fromEntries(more), ...row }));
  return { name: 'wide', lines: linesOf(rows), schema: null, column: same };
};

export const edgeTables: readonly EdgeTable[] = [
  { name: 'empty', lines: '', schema: plainSchema, column: same },
  { name: 'one', lines: linesOf(rowsOf(1)), schema: null, column: same },
  { name: 'nulls', lines: '{}\n'.repeat(3), schema: plainSchema, column: same },
  {
    name: 'untyped',
    lines: linesOf(Array.from({ length: 3 }, () => Object.fromEntries(plainNames.map((name) => [name, null])))),
    schema: null,
    column: same,
  },
  { name: 'twins', lines: linesOf(Array.from({ length: 6 }, () => plainRow(1))), schema: null, column: same },
  {
    name: 'odd',
    lines: linesOf(rowsOf(4).map((row) => renamed(row, oddName))),
    schema: null,
    column: oddName,
  },
  {
    name: 'nested',
    lines: linesOf(Array.from({ length: 4 }, (_, i) => nestedRow(i))),
    schema: nestedSchema,
    column: nestedName,
  },
  wideTable(150),
];

/** The tables that steps name beside their input. */
export const otherTables: Readonly<Record<string, string>> = {
  other: linesOf(rowsOf(5)),
  held: linesOf([{ question: 'What is the number of row 1?', answer: 'one' }]),
  keys: linesOf(rowsOf(8).map(({ id }) => ({ key: id, answer: `answer ${String(id)}` }))),
};

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Parameters of a step for a table; null for a step that is not known here: it is given those of its example. */
export function paramsFor(step: string, { column }: EdgeTable, report: string): unknown {
  const [c, q] = [column, (plain: string): string => quoted(column(plain))];
  const known: Readonly<Record<string, unknown>> = {
    filter: { where: `${q('output')} IS NULL OR length(CAST(${q('output')} AS VARCHAR)) > 20` },
    length: { column: c('output'), min: 0, max: 8000 },
    quality: { column: c('text'), preset: 'gopher', words_min: 5 },
    dedupe: { by: [c('instruction'), c('input')], keep: 'longest' },
    'near-dedupe': { columns: [c('text')], threshold: 0.8 },
    sample: { count: 2, seed: 7 },
    shuffle: { seed: 7 },
    split: { shares: { train: 0.5, valid: 0.5 }, which: 'train', by: [c('document')], seed: 7 },
    'limit-per-group': { by: [c('source')], max: 2 },
    sort: { by: [c('source'), { column: c('score'), order: 'desc' }] },
    head: { n: 2 },
    skip: { n: 2 },
    remove: { report, hits: 'all' },
    decontaminate: { against: ['held'], hits: 'all' },
    select: { columns: [c('instruction'), c('output')] },
    drop: { columns: [c('metadata')] },
    rename: { columns: { [c('metadata')]: 'new "name"' } },
    cast: { columns: { [c('id')]: 'VARCHAR', [c('score')]: 'VARCHAR' }, on_error: 'drop' },
    derive: { columns: { 'x "y"': `CAST(${q('instruction')} AS VARCHAR) || 'x'`, [c('topic')]: '1' } },
    'clean-text': { columns: [c('instruction'), c('output')], html: 'text', whitespace: 'lines' },
    'mask-pii': { columns: [c('instruction'), c('output')], kinds: ['email', 'phone', 'keys'] },
    render: { template: `{${c('instruction')}}: {${c('score')}}`, into: c('text'), nulls: 'empty' },
    'to-chat': { instruction: c('prompt'), output: c('completion'), on_error: 'drop' },
    'from-chat': {
      format: 'sharegpt',
      column: c('conversations'),
      instruction: 'asked',
      output: 'said',
      on_error: 'drop',
    },
    concat: { with: ['other'] },
    mixture: { weight: 0.5, with: [{ dataset: 'other', weight: 0.5 }], rows: 4, repeat: 100, seed: 7 },
    explode: { column: c('answers') },
    template: { templates: [`Q: {${c('question')}}`, `{${c('id')}}?`], column: c('prompt'), nulls: 'drop' },
    perturb: { columns: [c('instruction')], kinds: ['typo', 'case'], rate: 0.5, seed: 7 },
    join: { dataset: 'keys', on: [{ left: c('id'), right: 'key' }], columns: ['answer'], on_missing: 'drop' },
    sql: { query: `SELECT ${q('topic')}, count(*) AS n FROM input GROUP BY ALL ORDER BY n DESC` },
    module: { path: 'same.mjs' },
    command: { run: 'cat', carry: true },
  };
  return known[step] ?? null;
}
