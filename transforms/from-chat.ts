/**
 * `holdout/from-chat`: instruction, output and system columns out of conversations, and the turns before the answer.
 * @module
 */
import { z } from 'zod';
import { whyColumnsFail } from '../src/lineage/map-columns.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { answerRows } from './chat/answer-rows.ts';
import { checkChat, historyName, partsOf } from './chat/conversation.ts';
import { chatFormat, chatFormats } from './chat/formats.ts';
import { withExpressions } from './output-columns.ts';
import { onError } from './parameters.ts';

const named = z.string().min(1);

/** Takes conversations apart. */
export const fromChat: Transform = defineTransform({
  name: 'holdout/from-chat',
  version: 1,
  kind: 'mapping',
  summary:
    'Makes instruction, output and system columns out of conversations: of one question and one answer, or of the last ' +
    'answer, or each, with what was said before it.',
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
        .enum(['one', 'last', 'each'])
        .optional()
        .describe(
          'one: a conversation has one question and one answer; so it is unless said. last: it may have more; the last ' +
            'question and answer are taken, and the messages between the system and them go to `history`. each: a row for ' +
            'each answer, in their order, with the messages before its question in `history`.',
        ),
      history: named
        .optional()
        .describe(
          'With `turns: last` or `each` the column that gets the earlier messages, as a list; history unless said.',
        ),
      drop: z.boolean().default(true).describe('Whether the column of the conversation goes.'),
      on_error: onError.describe(
        'A conversation that is not an optional message of the system, one question and one answer, each with text, or with ' +
          '`turns: last` or `each` questions and answers in turn: fail names the first one and makes nothing; drop leaves such rows out and counts them; keep puts nulls, in one row, and counts them.',
      ),
    })
    .refine(
      ({ turns = 'one', history }) => history === undefined || turns !== 'one',
      '`history` goes with `turns: last` or `each`',
    )
    .transform(({ column, turns, history, ...given }) => ({
      ...given,
      ...(column === undefined ? {} : { column }),
      ...(turns === undefined ? {} : { turns }),
      ...(history === undefined ? {} : { history }),
    })),
  describe: ({ format, instruction, output, turns = 'one', history = historyName }) =>
    `take ${format} conversations apart into ${instruction} and ${output}` +
    (turns === 'each' ? ', a row for each answer' : '') +
    (turns === 'one' ? '' : `, earlier turns in ${history}`),
  async run(context, { format: name, column, drop, on_error: on, ...into }) {
    const { schema } = context.input;
    const format = chatFormats[name];
    const from = column ?? format.column;
    checkChat(schema, from, format);
    const made = partsOf(format, from, schema, into);
    const goes = drop && !made.some((each) => each.name === from);
    if (into.turns === 'each') return answerRows(context, { format, from, into, on, gone: goes ? [from] : [] });
    return withExpressions(context, made, on, { columnsDropped: goes ? 1 : 0 }, goes ? [from] : []);
  },
  whyGone: (context, { format: name, column, ...into }, { rows }) => {
    const format = chatFormats[name];
    const made = partsOf(format, column ?? format.column, context.input.schema, into);
    return whyColumnsFail(context, made, rows);
  },
});
