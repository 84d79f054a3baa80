/**
 * The parts of a conversation as SQL over a row that holds it.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../../src/errors.ts';
import { quoteIdentifier, quoteString } from '../../src/identity/sql-text.ts';
import type { ExpressionColumn } from '../../src/lineage/map-columns.ts';
import { columnNamed } from '../../src/lineage/row-values.ts';
import { sqlType } from '../../src/tables/sql-types.ts';
import type { ChatFormat } from './formats.ts';

/** How many answers a conversation has, and which of them are taken. */
export type Turns = 'one' | 'last' | 'each';

/** Where the messages before go unless another name is given. */
export const historyName = 'history';

/** @throws HoldoutError `USAGE` for a column that holds no conversations of the format. */
export function checkChat(schema: TableSchema, name: string, { speaker, text }: ChatFormat): void {
  const { type } = columnNamed(schema, name);
  const members =
    typeof type === 'object' && 'list' in type && typeof type.list === 'object' && 'struct' in type.list
      ? type.list.struct
      : [];
  const has = (member: string): boolean => members.some((each) => each.name === member && each.type === 'VARCHAR');
  if (has(speaker) && has(text)) return;
  throw new HoldoutError(
    'USAGE',
    `column "${name}" holds ${sqlType(type)}, not a list of {${speaker}, ${text}} with text`,
    {
      hint: `cast: {columns: {"${name}": "STRUCT(\\"${speaker}\\" VARCHAR, ${text} VARCHAR)[]"}} makes one of JSON`,
    },
  );
}

/** The columns that are made. */
export interface Into {
  readonly instruction: string;
  readonly output: string;
  readonly system: string;
  readonly turns?: Turns;
  readonly history?: string;
}

function member(message: string, name: string): string {
  return `struct_extract(${message}, ${quoteString(name)})`;
}

/** The columns, each with the rule that a conversation keeps. @param answer where the answer is; by default at the end */
export function partsOf(
  { speaker, text, names }: ChatFormat,
  from: string,
  schema: TableSchema,
  { instruction, output, system, turns = 'one', history = historyName }: Into,
  answer: string = `len(${quoteIdentifier(from)})`,
): ExpressionColumn[] {
  const x = quoteIdentifier(from);
  const first = `list_extract(${x}, 1)`;
  const before = messagesBefore({ speaker, names }, x);
  const fromEnd = (place: number): string => `list_extract(${x}, ${answer} - ${place})`;
  const expected = `CASE WHEN (holdout_i - ${before}) % 2 = 1 THEN ${quoteString(names.user)} ELSE ${quoteString(names.assistant)} END`;
  const refused =
    turns === 'one'
      ? 'not one question and one answer (turns: last takes the last ones, turns: each all)'
      : 'not questions and answers in turn, each with text, with an answer at the end';
  const fits =
    turns === 'one' ? `len(${x}) = ${before} + 2` : `len(${x}) > ${before} AND (len(${x}) - ${before}) % 2 = 0`;
  // Which message is one of a pair goes by its place behind the system's.
  const wrong =
    `list_filter(${x}, lambda holdout_m, holdout_i: holdout_i > ${before} AND (${member('holdout_m', speaker)} IS DISTINCT FROM ${expected}` +
    `${turns === 'one' ? '' : ` OR ${member('holdout_m', text)} IS NULL`}))`;
  const valid = { refused, sql: (): string => `${fits} AND len(${wrong}) = 0` };
  const shared = { type: 'VARCHAR', says: 'conversation', reads: [from], valid } as const;
  const parts: ExpressionColumn[] = [
    { ...shared, name: instruction, sql: member(fromEnd(1), text), required: refused },
    { ...shared, name: output, sql: member(fromEnd(0), text), required: refused },
    { ...shared, name: system, sql: `CASE WHEN ${before} = 1 THEN ${member(first, text)} END` },
  ];
  if (turns === 'one') return parts;
  const earlier = `list_slice(${x}, ${before} + 1, ${answer} - 2)`;
  return [
    ...parts,
    { ...shared, name: history, type: columnNamed(schema, from).type, sql: earlier, required: refused },
  ];
}

/** How many messages come before the first question. */
function messagesBefore({ speaker, names }: Pick<ChatFormat, 'speaker' | 'names'>, x: string): string {
  return `(CASE WHEN coalesce(${member(`list_extract(${x}, 1)`, speaker)} = ${quoteString(names.system)}, false) THEN 1 ELSE 0 END)`;
}

/** The places of all answers of a conversation that keeps the rule, from 1. */
export function answerPlaces(format: ChatFormat, from: string): string {
  const x = quoteIdentifier(from);
  return `range(${messagesBefore(format, x)} + 2, len(${x}) + 1, 2)`;
}
