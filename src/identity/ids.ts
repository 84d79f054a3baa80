/**
 * From digests to ids and back. docs/FORMAT.md, "Ids".
 * @module
 */
import { createHash } from 'node:crypto';
import type { SetRoot, Sha256Id, TableId } from '../../schemas/ids.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { recordId } from './canonical-json.ts';

/**
 * The id of a table: commits to its row count and to the root of its ordered tree.
 * @throws RangeError when the count is no count, or the root is not 32 bytes.
 */
export function formatTableId(rows: number, root: Uint8Array): TableId {
  return `holdout-table-v1:${commit('holdout-table-v1:', rows, root)}` as TableId;
}

/**
 * The set root of a table: commits to its row count and to the root of its set tree.
 * @throws RangeError when the count is no count, or the root is not 32 bytes.
 */
export function formatSetRoot(rows: number, root: Uint8Array): SetRoot {
  return `holdout-set-v1:${commit('holdout-set-v1:', rows, root)}` as SetRoot;
}

/** The id of a schema: that of its record. */
export function schemaId(schema: TableSchema): Sha256Id {
  return recordId(schema);
}

/** `sha256:` of bytes that are in memory. */
export function sha256IdOf(bytes: Uint8Array): Sha256Id {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Sha256Id;
}

/** The 64 hex digits of an id. @throws TypeError when it is no id. */
export function hexOf(id: Sha256Id | TableId | SetRoot): string {
  const hex = /^(?:sha256|holdout-table-v1|holdout-set-v1):([0-9a-f]{64})$/.exec(id)?.[1];
  if (hex === undefined) throw new TypeError(`expected an id, got "${id}"`);
  return hex;
}

/** The 32 bytes of an id. @throws TypeError when it is no id. */
export function digestBytesOf(id: Sha256Id | TableId | SetRoot): Uint8Array {
  return Uint8Array.from(Buffer.from(hexOf(id), 'hex'));
}

function commit(domain: string, rows: number, root: Uint8Array): string {
  if (!Number.isSafeInteger(rows) || rows < 0) throw new RangeError(`"rows" expected a count, got ${rows}`);
  if (root.length !== 32) throw new RangeError(`"root" expected 32 bytes, got ${root.length}`);
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(rows));
  return createHash('sha256').update(domain).update(count).update(root).digest('hex');
}
