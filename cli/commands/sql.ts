/**
 * `holdout sql`: one SELECT over snapshots, read-only.
 * @module
 */
import { type UserResult, type UserView, runUserQuery } from '../../src/engine/user-query.ts';
import type { PlainValue } from '../../src/engine/plain-value.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { HoldoutError } from '../../src/errors.ts';
import type { Store } from '../../src/store/store.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import type { CliContext } from '../context.ts';
import { remark, remarkNotFinite, write, writeTable } from '../output.ts';
import { entryName, openVersion } from '../snapshots.ts';
import { alignTable, formatCount, nearestName, plural } from '../text.ts';

const formats = ['table', 'jsonl', 'csv', 'json'] as const;
type Format = (typeof formats)[number];

/** Runs the query; datasets that it names are tables. */
export const sql: Action = async ({ context, operands, options }) => {
  const [query = ''] = operands;
  if (query.trim() === '') {
    throw new HoldoutError('USAGE', 'the query is empty', {
      hint: 'for example: holdout sql "SELECT count(*) FROM NAME"',
    });
  }
  const format = readFormat(context.json ? 'json' : (options.text('format') ?? 'table'));
  const store = await context.openStore();
  const engine = await context.openEngine(store);
  const views = await viewsOf(context, store, engine, query);
  const { names } = await store.journal();
  const result = await runUserQuery(engine, query, views, whereIs(names.keys()));
  await print(result, format, context);
  return exitStatus.ok;
};

function readFormat(value: string): Format {
  const format = formats.find((each) => each === value);
  if (format !== undefined) return format;
  throw new HoldoutError('USAGE', `--format takes ${formats.join(', ')}, got "${value}"`);
}

/** Views of the versions whose names stand somewhere in the query; the others would only cost time. */
async function viewsOf(context: CliContext, store: Store, engine: Engine, query: string): Promise<UserView[]> {
  const text = query.toLowerCase();
  const views: UserView[] = [];
  const { names } = await store.journal();
  for (const [name, versions] of names) {
    if (!text.includes(name.toLowerCase())) continue;
    const newest = versions.at(-1);
    for (const entry of versions) {
      const versioned = entryName(entry);
      const wanted = [
        ...(entry === newest ? [name] : []),
        ...(text.includes(versioned.toLowerCase()) ? [versioned] : []),
      ];
      if (wanted.length === 0) continue;
      const { reader } = await openVersion(context, store, engine, entry);
      for (const view of wanted) views.push({ name: view, sql: reader.relationSql() });
    }
  }
  return views;
}

/** Names of the store that a table that is not there may mean; a version's name needs quotes. */
function whereIs(names: Iterable<string>): (name: string) => string {
  const known = [...names];
  return (name) => {
    const near = nearestName(name, known);
    if (near !== null)
      return `did you mean ${/^[a-z_][a-z0-9_]*$/i.test(near) ? near : `"${near}" (in these quotes)`}?`;
    return '`holdout ls` lists the datasets; each is a table by its name';
  };
}

/** What stands for NaN and the infinities. */
type NotFinite = (value: number) => string | null;

/** Values as JSON: integers past 2^53 as digits in a string, bytes as base64. */
function jsonValue(value: unknown, notFinite: NotFinite): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return notFinite(value);
  if (typeof value === 'bigint') {
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : String(value);
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((each) => jsonValue(each, notFinite));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, jsonValue(member, notFinite)]));
  }
  return value;
}

function textValue(value: unknown): string {
  const plain = jsonValue(value, String);
  if (plain === null || plain === undefined) return '';
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

/** Rows of a table for the eye; the other formats give all. */
const tableRowsMax = 1000;
const pageRowsFirst = 1024;
const pageRowsMax = 1 << 16;
const pageCharsWanted = 4 << 20;

async function print(result: UserResult, format: Format, context: CliContext): Promise<void> {
  const { columns } = result;
  const names = columns.map((column) => column.name);
  let notFinite = 0;
  const asJson = (value: unknown): unknown =>
    jsonValue(value, () => {
      notFinite += 1;
      return null;
    });
  switch (format) {
    case 'json':
      await write(`{\n  "columns": ${indented(columns, 2)},\n  "rows": [`);
      await writeRows(result, context, (row, index) => {
        return `${index === 0 ? '' : ','}\n    ${indented(row.map(asJson), 4)}`;
      });
      await write(`${result.rows === 0 ? '' : '\n  '}]\n}\n`);
      return remarkNotFinite(notFinite);
    case 'jsonl':
      await writeRows(result, context, (row) => {
        return `${JSON.stringify(Object.fromEntries(row.map((value, i) => [names[i] ?? '', asJson(value)])))}\n`;
      });
      return remarkNotFinite(notFinite);
    case 'csv':
      await write(`${names.map(csvCell).join(',')}\n`);
      return writeRows(result, context, (row) => `${row.map((value) => csvCell(textValue(value))).join(',')}\n`);
    case 'table': {
      const width = process.stdout.isTTY ? process.stdout.columns : undefined;
      const right = columns.flatMap(({ type }, i) =>
        /^(U?(TINY|SMALL|BIG|HUGE)?INT|INTEGER|UINTEGER|DOUBLE|FLOAT|DECIMAL)/.test(type) ? [i] : [],
      );
      const shown = await result.page(0, tableRowsMax);
      await writeTable(alignTable([names, ...shown.map((row) => row.map(textValue))], { width, right }));
      const all = plural(result.rows, 'row');
      remark(
        shown.length === result.rows
          ? `(${all})`
          : `(the first ${formatCount(shown.length)} of ${all}; --format jsonl gives all)`,
      );
    }
  }
}

/** Writes all rows a page at a time, no faster than they are read, until an interrupt. */
async function writeRows(
  result: UserResult,
  context: CliContext,
  textOf: (row: readonly PlainValue[], index: number) => string,
): Promise<void> {
  let count = pageRowsFirst;
  for (let first = 0; first < result.rows;) {
    const page = await result.page(first, count);
    const text = page.map((row, index) => textOf(row, first + index)).join('');
    context.mustGoOn();
    await write(text);
    // A turn of the event loop, so that a signal is heard.
    await new Promise((resolve) => setImmediate(resolve));
    context.mustGoOn();
    first += page.length;
    const fitting = Math.floor((pageCharsWanted / Math.max(text.length, 1)) * page.length);
    count = Math.max(1, Math.min(pageRowsMax, count * 4, fitting));
  }
}

/** JSON as `JSON.stringify(…, 2)` has it inside what is indented already. */
function indented(value: unknown, blanks: number): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${' '.repeat(blanks)}`);
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
