/**
 * A row for each answer of conversations.
 * @module
 */
import { quoteIdentifier } from '../../src/identity/sql-text.ts';
import { explodeRows } from '../../src/lineage/explode-rows.ts';
import { type OnError, failedReason, whyColumnsFail } from '../../src/lineage/map-columns.ts';
import { type AssembledTable, RowFailure } from '../../src/lineage/step-output.ts';
import type { StepContext } from '../../src/lineage/transform.ts';
import { freeName, sqlType } from '../../src/tables/sql-types.ts';
import { withColumns } from '../output-columns.ts';
import { type Into, answerPlaces, partsOf } from './conversation.ts';
import type { ChatFormat } from './formats.ts';

/** Which conversations, and what is made of them. */
export interface AnswerRows {
  readonly format: ChatFormat;
  /** The column of the conversation. */
  readonly from: string;
  readonly into: Into;
  readonly on: OnError;
  /** Columns that are left out. */
  readonly gone: readonly string[];
}

/**
 * The rows of the answers, in the order of the conversations and of their turns; other columns are repeated.
 * @throws HoldoutError `USAGE` for names that no table can have
 * @throws RowFailure under `fail`, for the first conversation that does not keep the rule
 */
export async function answerRows(
  context: StepContext,
  { format, from, into, on, gone }: AnswerRows,
): Promise<AssembledTable> {
  const { schema } = context.input;
  const place = quoteIdentifier(freeName(schema, 'holdout_answer'));
  const parts = partsOf(format, from, schema, into, place);
  const output = withColumns({ ...schema, columns: schema.columns.filter(({ name }) => !gone.includes(name)) }, parts);
  const rule = `coalesce(${parts[0]!.valid!.sql('')}, false)`;
  const made = new Map(parts.map((part) => [part.name, part]));
  let refused = 0;
  const onRow = (position: number, _: number, keepsRule: boolean): void => {
    if (keepsRule) return;
    refused += 1;
    if (on === 'fail') throw new RowFailure(position, '');
  };
  const table = explodeRows(context, failedReason, {
    schema: output,
    list: `CASE WHEN ${rule} THEN ${answerPlaces(format, from)} ELSE ${on === 'keep' ? '[NULL]' : '[]'}::BIGINT[] END`,
    holds: rule,
    item: place,
    values: output.columns.map(({ name, type }) => {
      const part = made.get(name);
      // An absent bound of a slice would mean the end of the list.
      const value = part === undefined ? quoteIdentifier(name) : `CASE WHEN ${place} IS NOT NULL THEN ${part.sql} END`;
      return `(${value})::${sqlType(type)} AS ${quoteIdentifier(name)}`;
    }),
    onRow,
  });
  const { counts: _, ...rows } = await table.catch(async (error: unknown) => {
    if (!(error instanceof RowFailure) || on !== 'fail') throw error;
    const [says] = await whyColumnsFail(context, partsOf(format, from, schema, into), [error.position]);
    throw new RowFailure(error.position, says ?? 'conversation', { hint: 'on_error says what becomes of such rows' });
  });
  const lost = on === 'fail' ? {} : { [on === 'drop' ? failedReason : 'madeNull']: refused };
  return { ...rows, counts: { columnsDropped: gone.length, ...lost } };
}
