/**
 * The row numbers that a command passed through: of which row of the input each line of its output was made.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { openReadTable } from '../tables/read-table-reader.ts';
import type { ReadTable } from '../tables/read/read-table-types.ts';
import { freeName } from '../tables/sql-types.ts';
import { fileLines } from '../tables/text-lines.ts';
import { lineMembers } from './line-members.ts';
import { noRow } from './step-output.ts';
import type { StepContext } from './transform.ts';

const shownCharsMax = 60;

/** The output of a command, read, and where it stands. */
export interface CarriedOutput {
  readonly table: ReadTable;
  /** Its file: JSON Lines. */
  readonly path: string;
  /** The member that holds the number. */
  readonly carry: string;
}

/**
 * The number on each line, in the order of the output.
 * @throws HoldoutError INPUT_INVALID with the first line that has none of a row of the input
 */
export async function carriedRows(
  { engine, scratch, input }: StepContext,
  output: CarriedOutput,
): Promise<Uint32Array> {
  const { table, carry } = output;
  const type = table.schema.columns.find(({ name }) => name === carry)?.type;
  if (type !== 'BIGINT') throw await wrongLine(output, input.rows);
  const madeOf = new Uint32Array(table.rows).fill(noRow);
  const reader = await openReadTable(engine, table, { workDirectory: scratch });
  try {
    const position = freeName(table.schema, 'holdout_position');
    const sql = reader.relationSql({ position });
    const numbers = `SELECT ${quoteIdentifier(position)}, ${quoteIdentifier(carry)} FROM (${sql})`;
    await engine.stream(numbers, table.rows, (chunk) => {
      for (let i = 0; i < chunk.rows; i++) {
        const row = chunk.value(1, i);
        if (typeof row === 'bigint' && row >= 0n && row < input.rows) madeOf[Number(chunk.value(0, i))] = Number(row);
      }
    });
  } finally {
    await reader.close();
  }
  if (madeOf.includes(noRow)) throw await wrongLine(output, input.rows);
  return madeOf;
}

/** The number on a line that is no row, where one can be made out: the input's row that the line was made of. */
export async function rowOfBrokenLine(
  { path, carry }: Omit<CarriedOutput, 'table'>,
  line: number,
  inputRows: number,
): Promise<number | null> {
  let number = 0;
  for await (const text of fileLines(path)) {
    number += 1;
    if (number < line) continue;
    const from = text.indexOf(JSON.stringify(carry));
    const [, digits] = (from < 0 ? null : /^"[^"]*"\s*:\s*(\d+)/.exec(text.slice(from))) ?? [];
    return digits !== undefined && Number(digits) < inputRows ? Number(digits) : null;
  }
  return null;
}

async function wrongLine({ path, carry }: CarriedOutput, inputRows: number): Promise<HoldoutError> {
  let line = 0;
  let says = `or another has a "${carry}" that is no row number`;
  for await (const text of fileLines(path)) {
    line += 1;
    const found = text.trim() === '' ? null : faultOf(lineMembers(text).get(carry) ?? 'null', carry, inputRows);
    if (found === null) continue;
    says = found;
    break;
  }
  const message = `line ${line.toLocaleString('en-US')} of the command's output ${says}`;
  return new HoldoutError('INPUT_INVALID', message, {
    hint: `With \`carry: true\` each line must pass on the number "${carry}" of the line that it was made of.`,
  });
}

/** What is wrong with the number as it is spelled; null where it is that of a row. */
function faultOf(spelled: string, carry: string, inputRows: number): string | null {
  if (spelled === 'null') return `has no "${carry}"`;
  const shown = `"${carry}": ${spelled.length <= shownCharsMax ? spelled : `${spelled.slice(0, shownCharsMax)}…`}`;
  if (!/^-?\d+$/.test(spelled)) return `has ${shown}, which is no row number`;
  const row = Number(spelled);
  if (row >= 0 && row < inputRows) return null;
  return `has ${shown}, and the rows it was given have the numbers 0 to ${(inputRows - 1).toLocaleString('en-US')}`;
}
