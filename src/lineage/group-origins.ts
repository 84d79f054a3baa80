/**
 * Finds of which rows of the input the rows of an aggregating SELECT were made: the keys of every row that it takes are
 * joined with those of the rows that it gave.
 * @module
 */
import { type GroupQuery, unlessRefused } from '../engine/group-query.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { type RowGroups, groupRows } from './row-groups.ts';
import { noRow } from './step-output.ts';

const groupsTable = 'holdout_groups';

/** What the SELECT gave. */
export interface GroupedResult {
  /** A table in the engine; its rows count by `rowid`. */
  readonly table: string;
  readonly rows: number;
  /** Its columns that hold the keys, in the order of the query's. */
  readonly keys: readonly string[];
}

/**
 * The groups. Null where the keys do not tell them: each row must be in one group at most, each group have a row, and
 * where no HAVING or LIMIT takes a group away, each row be in one. Takes 8 bytes a row of the input, 4 a group.
 * @param inputRows rows of the table that `sql` is over
 */
export async function findGroups(
  engine: Engine,
  query: GroupQuery,
  result: GroupedResult,
  inputRows: number,
): Promise<RowGroups | null> {
  // A column of that name hides the count of the rows.
  const made = await engine.describe(`SELECT * FROM ${result.table}`);
  if (made.some(({ name }) => name.toLowerCase() === 'rowid')) return null;
  const described = await engine.describe(query.sql).catch(unlessRefused);
  if (described === null) return null;
  const names = described.map((_, index) => `c${index}`);
  const first = query.added.length > 0 ? names.length - query.added.length : 0;
  const row = names[names.length - query.added.length - 1]!;
  const on = result.keys.map(
    (key, index) => `q.${names[first + index]!} IS NOT DISTINCT FROM r.${quoteIdentifier(key)}`,
  );
  // Without keys all rows are one group.
  const joined =
    on.length === 0 ? `(SELECT *, ${result.rows === 0 ? 'NULL' : '0'} AS made` : `(SELECT q.*, r.rowid AS made`;
  const right = on.length === 0 ? '' : ` LEFT JOIN ${result.table} AS r ON ${on.join(' AND ')}`;
  const rows = await engine
    .run(
      `CREATE TEMP TABLE ${groupsTable} AS SELECT ${row}::UINTEGER, coalesce(made, ${noRow})::UINTEGER
       FROM ${joined} FROM (${query.sql}) AS q(${names.join(', ')})${right})`,
    )
    .then(async () => Number(await engine.value<bigint>(`SELECT count(*) FROM ${groupsTable}`)))
    .catch(unlessRefused);
  if (rows === null) return null;
  const groupOf = new Uint32Array(inputRows).fill(noRow);
  let twice = false;
  let without = 0;
  await engine.stream(`SELECT * FROM ${groupsTable}`, rows, (chunk) => {
    for (let at = 0; at < chunk.rows; at++) {
      const [address, group] = [chunk.value(0, at) as number, chunk.value(1, at) as number];
      twice ||= groupOf[address] !== noRow;
      groupOf[address] = group;
      if (group === noRow) without += 1;
    }
  });
  if (twice || (query.whole && without > 0)) return null;
  const groups = groupRows(groupOf, result.rows);
  const empty = groups.ends.some((end, at) => end === (groups.ends[at - 1] ?? 0));
  return empty && on.length > 0 ? null : groups;
}
