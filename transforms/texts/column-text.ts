/**
 * The text of a column for steps that judge text: the column's own, or what is said in a conversation, message by message.
 * @module
 */
import type { ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../../src/errors.ts';
import { quoteIdentifier, quoteString } from '../../src/identity/sql-text.ts';
import { columnNamed, jsonHint } from '../../src/lineage/row-values.ts';
import { sqlType } from '../../src/tables/sql-types.ts';
import { chatFormats } from '../chat/formats.ts';

/**
 * A VARCHAR expression: the text of the column, of a conversation the texts of its messages with line ends between; NULL
 * where there is none.
 * @throws HoldoutError `USAGE` for a column that is not there, or holds neither text nor messages
 */
export function columnTextSql(schema: TableSchema, name: string): string {
  const { type } = columnNamed(schema, name);
  const column = quoteIdentifier(name);
  if (type === 'VARCHAR' || type === 'NULL') return column;
  const member = messageText(type);
  if (member !== null) {
    const texts = `list_transform(${column}, lambda holdout_m: struct_extract(holdout_m, ${quoteString(member)}))`;
    return `list_aggregate(${texts}, 'string_agg', chr(10))`;
  }
  throw new HoldoutError('USAGE', `column "${name}" holds ${sqlType(type)}, neither text nor messages`, {
    hint:
      type === 'JSON'
        ? jsonHint(name)
        : 'messages are a list of {role, content} or {from, value}; `derive` makes a text column of anything else',
  });
}

/** The member that holds what a message says; null where the type is no conversation. */
function messageText(type: ColumnType): string | null {
  if (typeof type !== 'object' || !('list' in type) || typeof type.list !== 'object' || !('struct' in type.list)) {
    return null;
  }
  const members = new Map(type.list.struct.map((member) => [member.name, member.type]));
  const format = Object.values(chatFormats).find(
    ({ speaker, text }) => members.has(speaker) && members.get(text) === 'VARCHAR',
  );
  return format?.text ?? null;
}
