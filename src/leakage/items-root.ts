/**
 * The identity of a set's items: the set root over its key fields alone, so that adding an id or a subject column to an
 * eval set does not change what was tested.
 * @module
 */
import type { SetRoot } from '../../schemas/ids.ts';
import type { FieldRoles } from '../../schemas/records.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { formatSetRoot } from '../identity/ids.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { setTree } from '../merkle/set-tree.ts';
import { keyColumns } from './fields.ts';

/** The part of a `TableReader` that is needed. */
export interface Relation {
  readonly schema: TableSchema;
  relationSql(): string;
}

/** The set root over the columns of question, passage, choices and answer. */
export async function itemsRootOf(engine: Engine, reader: Relation, fields: FieldRoles): Promise<SetRoot> {
  const columns = keyColumns(reader.schema, fields);
  const digest = rowDigestSql({ type: 'holdout/schema@1', columns });
  const digests: Uint8Array[] = [];
  await engine.scan(`SELECT ${digest} FROM (${reader.relationSql()})`, (chunk) => {
    for (let row = 0; row < chunk.rows; row++) digests.push(chunk.bytes(0, row) ?? new Uint8Array(32));
  });
  const { rows, root } = setTree(Buffer.concat(digests));
  return formatSetRoot(rows, root);
}
