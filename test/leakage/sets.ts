/**
 * Small sets for the tests of the leak check, held in memory.
 * @module
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../../dist/src/engine/engine.js';
import { checkLeaks } from '../../dist/src/leakage/check-leaks.js';
import type { CheckOptions, CheckResult } from '../../dist/src/leakage/check-leaks.js';
import { recogniseFields } from '../../dist/src/leakage/fields.js';
import type { NamedEval, NamedTable } from '../../dist/src/leakage/types.js';
import type { FieldRoles } from '../../dist/schemas/records.js';
import type { ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';

/** A question that stands in no other text. */
export const question =
  'Natalia sold clips to forty of her friends in April, and then she sold half as many clips in May. How many clips did Natalia sell altogether in April and May?';
/** A text that shares no run of words with it. */
export const filler = 'Nothing of what follows has to do with it, and neither has what came before.';

export type Row = Readonly<Record<string, unknown>>;

/** A schema by the first values seen. */
export function schemaOf(rows: readonly Row[]): TableSchema {
  const types = new Map<string, ColumnType>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (value !== null && !types.has(name)) types.set(name, typeOf(value));
    }
  }
  return { type: 'holdout/schema@1', columns: [...types].map(([name, type]) => ({ name, type })) };
}

function typeOf(value: unknown): ColumnType {
  if (typeof value === 'string') return 'VARCHAR';
  if (typeof value === 'number') return 'DOUBLE';
  if (Array.isArray(value)) return { list: typeOf(value[0] ?? '') };
  return 'JSON';
}

/** A training set in memory. */
export function tableOf(name: string, rows: readonly Row[]): NamedTable {
  const digests = Buffer.concat(rows.map((row) => createHash('sha256').update(JSON.stringify(row)).digest()));
  const hex = createHash('sha256').update(digests).digest('hex');
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
  return {
    name,
    table: `holdout-table-v1:${hex}` as NamedTable['table'],
    schemaId: `sha256:${hex}` as NamedTable['schemaId'],
    reader: {
      schema: schemaOf(rows),
      rows: rows.length,
      digests: () => Promise.resolve(new Uint8Array(digests)),
      async *jsonLines() {
        for (let first = 0; first < rows.length; first += 100) {
          const some = lines.slice(first, first + 100);
          yield await Promise.resolve({ firstRow: first, rows: some.length, bytes: Buffer.from(some.join('')) });
        }
      },
    },
    sourceOf: (row) => ({ file: `${name}.jsonl`, line: row + 1 }),
  };
}

/** An eval set in memory. */
export function evalOf(name: string, rows: readonly Row[], fields?: FieldRoles): NamedEval {
  const table = tableOf(name, rows);
  return {
    ...table,
    itemsRoot: table.table.replace('table', 'set') as NamedEval['itemsRoot'],
    fields: fields ?? recogniseFields(table.reader.schema),
  };
}

/** Checks sets with an engine of its own. */
export async function check(
  trains: readonly NamedTable[],
  evals: readonly NamedEval[],
  options: Partial<CheckOptions> = {},
): Promise<CheckResult> {
  const folder = await mkdtemp(join(tmpdir(), 'holdout-leaks-'));
  const engine = await Engine.open({ tempDirectory: folder, threads: 1 });
  try {
    return await checkLeaks({ engine, trains, evals, threads: 1, ...options });
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Checks one list of questions against one list of texts. */
export async function checkTexts(texts: readonly string[], items: readonly Row[]): Promise<CheckResult> {
  return await check(
    [
      tableOf(
        'train',
        texts.map((text) => ({ text })),
      ),
    ],
    [evalOf('eval', items)],
  );
}
