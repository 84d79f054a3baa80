/**
 * The rows for which a predicate that a person wrote is true.
 * @module
 */
import { type ScalarColumn, checkPredicate } from '../engine/scalar-expression.ts';
import { sqlType } from '../tables/sql-types.ts';
import type { OnError } from './map-columns.ts';
import { type RowExpression, firstFailure } from './row-failures.ts';
import { type RowSourceTable, setBit, visitValues } from './row-values.ts';

/** Rows by what a predicate says of them: TRUE, or NULL, or it fails; the others are FALSE. */
export interface PredicateRows {
  /** Bit i of byte i >> 3, least significant first. */
  readonly trueRows: Uint8Array;
  readonly trueCount: number;
  readonly nullCount: number;
  /** Bits of the rows for which it is NULL. */
  readonly nullRows: Uint8Array;
  /** How many rows it failed on: under `keep` their bits are set, too, and they are not in `trueCount`. */
  readonly failedCount: number;
  /** Not 0 for rows that it failed on; null under `fail`. */
  readonly failed: Uint8Array | null;
}

/** What a predicate says of a row, as a number; 0 is FALSE. */
const answer = { true: 1, null: 2, failed: 3 } as const;

/**
 * Evaluates a predicate.
 * @throws HoldoutError `USAGE` where it is no pure expression over the columns; as the engine does.
 * @throws RowFailure under `fail`, for the first row that it fails on.
 */
export async function evaluatePredicate(
  source: RowSourceTable,
  predicate: string,
  onError: OnError = 'fail',
): Promise<PredicateRows> {
  const expression = await predicateExpression(source, predicate);
  const failed = onError === 'fail' ? null : new Uint8Array(source.input.rows);
  const trueRows = new Uint8Array(Math.ceil(source.input.rows / 8));
  const nullRows = new Uint8Array(trueRows.length);
  const counts = { trueCount: 0, nullCount: 0, failedCount: 0 };
  const says = `coalesce((${predicate}\n)::BOOLEAN::UTINYINT, ${answer.null})`;
  // Each row is tried once. TRY right around coalesce reads memory that is not its own (DuckDB 1.5.6): a struct between.
  const tried =
    failed === null ? says : `coalesce(struct_extract(TRY(struct_pack(v := ${says})), 'v'), ${answer.failed})`;
  try {
    await visitValues(source, { reads: expression.reads, expressions: [tried] }, (position, chunk, row) => {
      switch (chunk.value(1, row)) {
        case answer.true:
          setBit(trueRows, position);
          counts.trueCount += 1;
          break;
        case answer.null:
          setBit(nullRows, position);
          counts.nullCount += 1;
          break;
        case answer.failed:
          failed![position] = 1;
          counts.failedCount += 1;
          if (onError === 'keep') setBit(trueRows, position);
          break;
        default:
      }
    });
  } catch (error) {
    throw onError === 'fail' ? await firstFailure(source, [expression], error) : error;
  }
  return { trueRows, nullRows, failed, ...counts };
}

/**
 * The predicate as an expression over each row.
 * @throws HoldoutError USAGE for one that is refused
 */
export async function predicateExpression(source: RowSourceTable, predicate: string): Promise<RowExpression> {
  const columns = source.input.schema.columns.map(({ name, type }): ScalarColumn => ({ name, type: sqlType(type) }));
  const { reads } = await checkPredicate(source.engine, predicate, columns);
  return { sql: predicate, says: 'where', reads };
}
