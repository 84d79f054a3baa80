/**
 * `holdout/to-chat`: a conversation out of the columns of an instruction and its answer.
 * @module
 */
import { z } from 'zod';
import type { TableSchema } from '../schemas/table-schema.ts';
import { quoteIdentifier, quoteString } from '../src/identity/sql-text.ts';
import { type ExpressionColumn, whyColumnsFail } from '../src/lineage/map-columns.ts';
import { textColumn } from '../src/lineage/row-values.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { type ChatFormat, chatFormat, chatFormats, chatType } from './chat/formats.ts';
import { withExpressions } from './output-columns.ts';
import { listed, onError } from './parameters.ts';

const named = z.string().min(1);

/** Makes messages of the columns that Alpaca and its followers use. */
export const toChat: Transform = defineTransform({
  name: 'holdout/to-chat',
  version: 1,
  kind: 'mapping',
  summary:
    'Makes a conversation (messages) out of instruction, input, output and system columns. A file in the form of Alpaca ' +
    'has them under these names, so that to-chat alone is enough.',
  example: 'to-chat: {instruction: prompt, input: context, output: response}',
  params: z
    .strictObject({
      format: chatFormat
        .default('openai')
        .describe('openai: messages of {role, content}. sharegpt: conversations of {from, value}, by human and gpt.'),
      instruction: named.default('instruction').describe('The text column with what is asked; it must hold text.'),
      input: named
        .optional()
        .describe(
          'A text column that goes after the instruction, with an empty line between, where it is not empty. Without ' +
            'it the column "input", if there is one.',
        ),
      output: named.default('output').describe('The text column with the answer; it must not be null.'),
      system: named
        .optional()
        .describe(
          'A text column that speaks first where it is not empty. Without it the column "system", if there is one.',
        ),
      into: named.optional().describe('The column of the conversation; messages or conversations unless said.'),
      drop: z.boolean().default(true).describe('Whether the columns that went into the conversation go.'),
      on_error: onError,
    })
    .transform(({ input, system, into, ...given }) => ({
      ...given,
      ...(input === undefined ? {} : { input }),
      ...(system === undefined ? {} : { system }),
      ...(into === undefined ? {} : { into }),
    })),
  describe: ({ format, instruction, output }) => `make ${format} conversations of ${instruction} and ${output}`,
  async run(context, { format: name, instruction, input, output, system, into, drop, on_error: on }) {
    const { schema } = context.input;
    const { used, unnamed, made } = conversation(schema, { format: name, instruction, input, output, system, into });
    const gone = drop ? used.filter((each) => each !== made.name) : [];
    const mapped = await withExpressions(context, [made], on, { columnsDropped: gone.length }, gone);
    return unnamed.length === 0 ? mapped : { ...mapped, notes: [`made of ${listed(unnamed)}, too`] };
  },
  whyGone: (context, params, { rows }) =>
    whyColumnsFail(context, [conversation(context.input.schema, params).made], rows),
});

interface Asked {
  readonly format: keyof typeof chatFormats;
  readonly instruction: string;
  readonly input?: string | undefined;
  readonly output: string;
  readonly system?: string | undefined;
  readonly into?: string | undefined;
}

/** The column that is made, those that it is made of, and which of them were found by their usual names. */
function conversation(
  schema: TableSchema,
  { format: name, instruction, input, output, system, into }: Asked,
): { readonly used: readonly string[]; readonly unnamed: readonly string[]; readonly made: ExpressionColumn } {
  const format = chatFormats[name];
  const columns = {
    instruction: textColumn(schema, instruction).name,
    output: textColumn(schema, output).name,
    input: optional(schema, input, 'input'),
    system: optional(schema, system, 'system'),
  };
  const used = [columns.instruction, columns.output, columns.input, columns.system].filter((each) => each !== null);
  const unnamed = [
    ...(input === undefined && columns.input !== null ? [columns.input] : []),
    ...(system === undefined && columns.system !== null ? [columns.system] : []),
  ];
  const [asked, answered] = [quoteIdentifier(columns.instruction), quoteIdentifier(columns.output)];
  const made: ExpressionColumn = {
    name: into ?? format.column,
    type: chatType(format),
    sql: messagesSql(format, columns),
    says: 'conversation',
    reads: used,
    valid: {
      sql: () => `${asked} IS NOT NULL AND ${asked} <> '' AND ${answered} IS NOT NULL`,
      refused: `${columns.instruction} must hold text and ${columns.output} must not be null`,
    },
  };
  return { used, unnamed, made };
}

function optional(schema: TableSchema, given: string | undefined, usual: string): string | null {
  if (given !== undefined) return textColumn(schema, given).name;
  return schema.columns.some(({ name }) => name === usual) ? textColumn(schema, usual).name : null;
}

interface Columns {
  readonly instruction: string;
  readonly input: string | null;
  readonly output: string;
  readonly system: string | null;
}

function messagesSql({ speaker, text, names }: ChatFormat, columns: Columns): string {
  const message = (who: string, sql: string): string =>
    `struct_pack(${quoteIdentifier(speaker)} := ${quoteString(who)}, ${quoteIdentifier(text)} := ${sql})`;
  const asked = quoteIdentifier(columns.instruction);
  const more = columns.input === null ? null : quoteIdentifier(columns.input);
  const user =
    more === null
      ? asked
      : `CASE WHEN coalesce(${more}, '') = '' THEN ${asked} ELSE ${asked} || chr(10) || chr(10) || ${more} END`;
  const rest = `[${message(names.user, user)}, ${message(names.assistant, quoteIdentifier(columns.output))}]`;
  if (columns.system === null) return rest;
  const system = quoteIdentifier(columns.system);
  return `CASE WHEN coalesce(${system}, '') = '' THEN ${rest} ELSE list_concat([${message(names.system, system)}], ${rest}) END`;
}
