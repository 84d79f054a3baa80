/**
 * How conversations are kept: a list of messages, each with who speaks and what is said.
 * @module
 */
import { z } from 'zod';
import type { ColumnType } from '../../schemas/table-schema.ts';

/** `openai`: {role, content} under `messages`; `sharegpt`: {from, value} under `conversations`. */
export const chatFormat = z.enum(['openai', 'sharegpt']);

/** A way to keep conversations. */
export interface ChatFormat {
  readonly column: string;
  readonly speaker: string;
  readonly text: string;
  readonly names: { readonly system: string; readonly user: string; readonly assistant: string };
}

/** Each format. */
export const chatFormats: Readonly<Record<z.infer<typeof chatFormat>, ChatFormat>> = {
  openai: {
    column: 'messages',
    speaker: 'role',
    text: 'content',
    names: { system: 'system', user: 'user', assistant: 'assistant' },
  },
  sharegpt: {
    column: 'conversations',
    speaker: 'from',
    text: 'value',
    names: { system: 'system', user: 'human', assistant: 'gpt' },
  },
};

/** The type of a conversation. */
export function chatType({ speaker, text }: ChatFormat): ColumnType {
  return {
    list: {
      struct: [
        { name: speaker, type: 'VARCHAR' },
        { name: text, type: 'VARCHAR' },
      ],
    },
  };
}
