/**
 * The identity of eval items: the set root over rows that keep only the columns of question, passage, choices and
 * answer. Adding an `id` or a `subject` column changes no item.
 * @module
 */
import type { SetRoot } from '../../schemas/ids.ts';
import type { FieldRoles } from '../../schemas/records.ts';
import type { Column, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { formatSetRoot } from '../identity/ids.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { setTree } from '../merkle/set-tree.ts';
import type { TableReader } from './table-reader.ts';

const itemRoles = ['question', 'passage', 'choices', 'answer'] as const;

/** The columns that make an item what it is, in schema order. A path into a column (`question.stem`) means the column. */
function itemColumns(schema: TableSchema, fields: FieldRoles): readonly Column[] {
  const names = new Set(schema.columns.map(({ name }) => name));
  const wanted = new Set(
    itemRoles.flatMap((role) => fields[role] ?? []).map((path) => (names.has(path) ? path : path.split('.', 1)[0])),
  );
  return schema.columns.filter(({ name }) => wanted.has(name));
}

/** A BLOB expression: the digest of a row's item; null where no column has a role. */
function itemDigestSql(schema: TableSchema, fields: FieldRoles): string | null {
  const columns = itemColumns(schema, fields);
  return columns.length === 0 ? null : rowDigestSql({ type: 'holdout/schema@1', columns });
}

/** The items' root of a table; null where no column has a role. */
export async function itemsRootOf(
  engine: Engine,
  reader: Pick<TableReader, 'schema' | 'rows' | 'relationSql'>,
  fields: FieldRoles,
): Promise<SetRoot | null> {
  const digest = itemDigestSql(reader.schema, fields);
  if (digest === null) return null;
  const digests = new Uint8Array(reader.rows * 32);
  let at = 0;
  await engine.stream(`SELECT ${digest} FROM (${reader.relationSql()})`, reader.rows, (chunk) => {
    for (let row = 0; row < chunk.rows; row++, at += 32) digests.set(chunk.bytes(0, row)!, at);
  });
  if (at !== digests.length) throw new Error(`${at / 32} items were read of ${reader.rows}`);
  return formatSetRoot(reader.rows, setTree(digests).root);
}
