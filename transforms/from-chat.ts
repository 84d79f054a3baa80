/**
 * `holdout/from-chat`: instruction, output and system columns out of conversations, and the turns before the last.
 * @module
 */
import { z } from 'zod';
import { sqlType } from '../src/tables/sql-types.ts';
import type { TableSchema } from '../schemas/table-schema.ts';
import { HoldoutError } from '../src/errors.ts';
import { quoteIdentifier, quoteString } from '../src/identity/sql-text.ts';
import { type ExpressionColumn, whyColumnsFail } from '../src/lineage/map-columns.ts';
import { columnNamed } from '../src/lineage/row-values.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { type ChatFormat, chatFormat, chatFormats } from './chat/formats.ts';
import { withExpressions } from './output-columns.ts';
import { onError } from './parameters.ts';

const named = z.string().min(1);
const historyName = 'history';

/** Takes conversations of one exchange apart. */
export const fromChat: Transform = defineTransform({
  name: 'holdout/from-chat',
  version: 1,
  kind: 'mapping',
  summary:
    'Makes instruction, output and system columns out of conversations: of one question and one answer, or of the last ' +
    'answer with what was said before it.',
  example: 'from-chat: {format: sharegpt, on_error: drop}',
  params: z
    .strictObject({
      format: chatFormat
        .default('openai')
        .describe('openai: messages of {role, content}. sharegpt: conversations of {from, value}, by human and gpt.'),
      column: named.optional().describe('The column of the conversation; messages or conversations unless said.'),
      instruction: named.default('instruction').describe('The column that gets what is asked.'),
      output: named.default('output').describe('The column that gets the answer.'),
      system: named
        .default('system')
        .describe('The column that gets what the system says first; null where it says nothing.'),
      turns: z
        .enum(['one', 'last'])
        .optional()
        .describe(
          'one: a conversation has one question and one answer; so it is unless said. last: it may have more; the last ' +
            'question and answer are taken, and the messages between the system and them go to `history`.',
        ),
      history: named
        .optional()
        .describe('With `turns: last` the column that gets the earlier messages, as a list; history unless said.'),
      drop: z.boolean().default(true).describe('Whether the column of the conversation goes.'),
      on_error: onError.describe(
        'A conversation that is not an optional message of the system, one question and one answer, each with text, or with ' +
          '`turns: last` questions and answers in turn: fail names the first one and makes nothing; drop leaves such rows out and counts them; keep puts nulls and counts them.',
      ),
    })
    .refine(({ turns, history }) => history === undefined || turns === 'last', '`history` goes with `turns: last`')
    .transform(({ column, turns, history, ...given }) => ({
      ...given,
      ...(column === undefined ? {} : { column }),
      ...(turns === undefined ? {} : { turns }),
      ...(history === undefined ? {} : { history }),
    })),
  describe: ({ format, instruction, output, turns, history = historyName }) =>
    `take ${format} conversations apart into ${instruction} and ${output}${turns === 'last' ? `, earlier turns in ${history}` : ''}`,
  async run(context, { format: name, column, drop, on_error: on, ...into }) {
    const { schema } = context.input;
    const format = chatFormats[name];
    const from = column ?? format.column;
    checkChat(schema, from, format);
    const made = partsOf(format, from, schema, into);
    const goes = drop && !made.some((each) => each.name === from);
    return withExpressions(context, made, on, { columnsDropped: goes ? 1 : 0 }, goes ? [from] : []);
  },
  whyGone: (context, { format: name, column, ...into }, { rows }) => {
    const format = chatFormats[name];
    const made = partsOf(format, column ?? format.column, context.input.schema, into);
    return whyColumnsFail(context, made, rows);
  },
});

/** @throws HoldoutError `USAGE` for a column that holds no conversations of the format. */
function checkChat(schema: TableSchema, name: string, { speaker, text }: ChatFormat): void {
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

interface Into {
  readonly instruction: string;
  readonly output: string;
  readonly system: string;
  readonly turns?: 'one' | 'last';
  readonly history?: string;
}

function member(message: string, name: string): string {
  return `struct_extract(${message}, ${quoteString(name)})`;
}

function partsOf(
  { speaker, text, names }: ChatFormat,
  from: string,
  schema: TableSchema,
  { instruction, output, system, turns = 'one', history = historyName }: Into,
): ExpressionColumn[] {
  const x = quoteIdentifier(from);
  const first = `list_extract(${x}, 1)`;
  const systemFirst = `coalesce(${member(first, speaker)} = ${quoteString(names.system)}, false)`;
  /** How many messages come before the first question. */
  const before = `(CASE WHEN ${systemFirst} THEN 1 ELSE 0 END)`;
  const fromEnd = (place: number): string => `list_extract(${x}, len(${x}) - ${place})`;
  const expected = `CASE WHEN (holdout_i - ${before}) % 2 = 1 THEN ${quoteString(names.user)} ELSE ${quoteString(names.assistant)} END`;
  const refused =
    turns === 'one'
      ? 'not one question and one answer (turns: last takes the last ones)'
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
    { ...shared, name: system, sql: `CASE WHEN ${systemFirst} THEN ${member(first, text)} END` },
  ];
  if (turns === 'one') return parts;
  const earlier = `list_slice(${x}, ${before} + 1, len(${x}) - 2)`;
  return [
    ...parts,
    { ...shared, name: history, type: columnNamed(schema, from).type, sql: earlier, required: refused },
  ];
}
