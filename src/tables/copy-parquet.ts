/**
 * Writes a query's rows as a Parquet file in row groups that the engine can hold.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { groupRowsFor } from './part-file.ts';

const usual = groupRowsFor(0);
const least = groupRowsFor(Infinity);

/**
 * Writes the rows in order. What a query gives is not known before: where its row groups do not fit the engine's memory,
 * it is run once more, with small ones.
 * @param options of the Parquet writer, without the size of row groups
 * @param groupRows rows of a row group, as `groupRowsFor` and `groupRowsOf` have it for rows that are known
 * @throws HoldoutError as the engine does
 */
export async function copyInGroups(
  engine: Engine,
  query: string,
  target: string,
  options: string,
  groupRows = usual,
): Promise<void> {
  const copy = (rows: number): Promise<void> =>
    engine.run(`COPY (${query}) TO ${engine.outputSql(target)} (${options}, ROW_GROUP_SIZE ${rows})`);
  try {
    await copy(groupRows);
  } catch (error) {
    if (groupRows === least || !(error instanceof HoldoutError) || error.code !== 'LIMIT') throw error;
    await rm(target, { force: true });
    await copy(least);
  }
}
