/**
 * `holdout/from-chat`: instruction, output and system columns out of conversations of one question and one answer.
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

/** Takes conversations of one exchange apart. */
export const fromChat: Transform = defineTransform({
  name: 'holdout/from-chat',
  version: 1,
  kind: 'mapping',
  summary: 'Makes instruction, output and system columns out of conversations of one question and one answer.',
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
      drop: z.boolean().default(true).describe('Whether the column of the conversation goes.'),
      on_error: onError.describe(
        'A conversation that is not an optional message of the system, one question and one answer, each with text: fail ' +
          'names the first one and makes nothing; drop leaves such rows out and counts them; keep puts nulls and counts them.',
      ),
    })
    .transform(({ column, ...given }) => ({ ...given, ...(column === undefined ? {} : { column }) })),
  describe: ({ format, instruction, output }) => `take ${format} conversations apart into ${instruction} and ${output}`,
  async run(context, { format: name, column, instruction, output, system, drop, on_error: on }) {
    const { schema } = context.input;
    const format = chatFormats[name];
    const from = column ?? format.column;
    checkChat(schema, from, format);
    const made = partsOf(format, from, { instruction, output, system });
    const goes = drop && !made.some((each) => each.name === from);
    return withExpressions(context, made, on, { columnsDropped: goes ? 1 : 0 }, goes ? [from] : []);
  },
  whyGone: (context, { format: name, column, instruction, output, system }, { rows }) => {
    const format = chatFormats[name];
    const made = partsOf(format, column ?? format.column, { instruction, output, system });
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

function partsOf(
  { speaker, text, names }: ChatFormat,
  from: string,
  into: { readonly instruction: string; readonly output: string; readonly system: string },
): ExpressionColumn[] {
  const x = quoteIdentifier(from);
  const at = (place: string, member: string): string =>
    `struct_extract(list_extract(${x}, ${place}), ${quoteString(member)})`;
  const systemFirst = `coalesce(${at('1', speaker)} = ${quoteString(names.system)}, false)`;
  const place = (index: number): string => `(CASE WHEN ${systemFirst} THEN ${index + 1} ELSE ${index} END)`;
  const refused = 'not one question and one answer';
  const valid = {
    refused,
    sql: (): string =>
      `len(${x}) = ${place(2)} AND ${at(place(1), speaker)} = ${quoteString(names.user)} AND ` +
      `${at(place(2), speaker)} = ${quoteString(names.assistant)}`,
  };
  const shared = { type: 'VARCHAR', says: 'conversation', reads: [from], valid } as const;
  return [
    { ...shared, name: into.instruction, sql: at(place(1), text), required: refused },
    { ...shared, name: into.output, sql: at(place(2), text), required: refused },
    { ...shared, name: into.system, sql: `CASE WHEN ${systemFirst} THEN ${at('1', text)} END` },
  ];
}
