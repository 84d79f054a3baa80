/**
 * `holdout sql`: one SELECT over snapshots, read-only.
 * @module
 */
import { type UserResult, type UserView, runUserQuery } from '../../src/engine/user-query.ts';
import { HoldoutError } from '../../src/errors.ts';
import type { Store } from '../../src/store/store.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { remark, writeJson, writeLines } from '../output.ts';
import { entryName, openVersion } from '../snapshots.ts';
import { alignTable, nearestName, plural } from '../text.ts';

const formats = ['table', 'jsonl', 'csv', 'json'] as const;
type Format = (typeof formats)[number];

/** Runs the query; datasets that it names are tables. */
export const sql: Action = async ({ context, operands, options }) => {
  const [query = ''] = operands;
  const format = readFormat(context.json ? 'json' : (options.text('format') ?? 'table'));
  const store = await context.openStore();
  const engine = await context.openEngine(store);
  const views = await viewsOf(store, engine, query);
  const result = await runUserQuery(engine, query, views).catch((error: unknown) => {
    throw withNearestName(error, views);
  });
  await print(result, format);
  return exitStatus.ok;
};

function readFormat(value: string): Format {
  const format = formats.find((each) => each === value);
  if (format !== undefined) return format;
  throw new HoldoutError('USAGE', `--format takes ${formats.join(', ')}, got "${value}"`);
}

/** Views of the versions whose names stand somewhere in the query; the others would only cost time. */
async function viewsOf(store: Store, engine: Parameters<typeof openVersion>[1], query: string): Promise<UserView[]> {
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
      const { reader } = await openVersion(store, engine, entry);
      for (const view of wanted) views.push({ name: view, sql: reader.relationSql() });
    }
  }
  return views;
}

function withNearestName(error: unknown, views: readonly UserView[]): unknown {
  const wanted = error instanceof HoldoutError ? /there is no table "([^"]+)"/.exec(error.message)?.[1] : undefined;
  if (!(error instanceof HoldoutError) || wanted === undefined) return error;
  const near = nearestName(
    wanted,
    views.map((view) => view.name),
  );
  const hint = near === null ? '`holdout ls` lists the datasets; each is a table by its name' : `did you mean ${near}?`;
  return new HoldoutError(error.code, error.message, { hint, cause: error });
}

/** Values as JSON: integers past 2^53 as digits in a string, bytes as base64. */
function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : String(value);
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, jsonValue(member)]));
  }
  return value;
}

function textValue(value: unknown): string {
  const plain = jsonValue(value);
  if (plain === null || plain === undefined) return '';
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

async function print({ columns, rows }: UserResult, format: Format): Promise<void> {
  const names = columns.map((column) => column.name);
  switch (format) {
    case 'json':
      return writeJson({ columns, rows: rows.map((row) => row.map(jsonValue)) });
    case 'jsonl':
      return writeLines(
        rows.map((row) =>
          JSON.stringify(Object.fromEntries(row.map((value, i) => [names[i] ?? '', jsonValue(value)]))),
        ),
      );
    case 'csv':
      return writeLines([names, ...rows.map((row) => row.map(textValue))].map((row) => row.map(csvCell).join(',')));
    case 'table': {
      const width = process.stdout.isTTY ? process.stdout.columns : undefined;
      const right = columns.flatMap(({ type }, i) =>
        /^(U?(TINY|SMALL|BIG|HUGE)?INT|INTEGER|UINTEGER|DOUBLE|FLOAT|DECIMAL)/.test(type) ? [i] : [],
      );
      await writeLines(alignTable([names, ...rows.map((row) => row.map(textValue))], { width, right }));
      remark(`(${plural(rows.length, 'row')})`);
    }
  }
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
