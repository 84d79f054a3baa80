/**
 * The rows that `--row` and `--where` name, as `trace` and `why` are asked about rows.
 * @module
 */
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import { evaluatePredicate } from '../src/lineage/predicate-rows.ts';
import type { TableReader } from '../src/tables/table-reader.ts';
import type { Options } from './command-spec.ts';
import { parseCount } from './parse-options.ts';
import { formatCount } from './text.ts';

const rowsDefault = 10;

/** Rows that `--row` and `--where` name, from 0. @throws HoldoutError USAGE */
export async function rowsAsked(
  engine: Engine,
  reader: TableReader,
  options: Options,
): Promise<{ readonly rows: readonly number[]; readonly more: number }> {
  const where = options.text('where');
  const limit = parseCount('--limit', options.text('limit')) ?? rowsDefault;
  const asked = options.list('row');
  if (asked.length > 0 === (where !== undefined)) {
    throw new HoldoutError('USAGE', 'give one of --row N and --where PREDICATE', { hint: 'rows count from 1' });
  }
  if (where === undefined) {
    const rows = asked.map((text) => {
      const row = parseCount('--row', text) ?? 0;
      if (row >= 1 && row <= reader.rows) return row - 1;
      throw new HoldoutError('USAGE', `--row ${text}: the table has rows 1 to ${formatCount(reader.rows)}`);
    });
    return { rows, more: 0 };
  }
  const { trueRows, trueCount } = await evaluatePredicate({ input: reader, engine }, where, 'fail');
  const rows: number[] = [];
  for (let row = 0; row < reader.rows && rows.length < limit; row++) {
    if (((trueRows[row >>> 3]! >>> (row & 7)) & 1) === 1) rows.push(row);
  }
  return { rows, more: trueCount - rows.length };
}
