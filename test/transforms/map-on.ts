/**
 * Runs a mapping step on rows made for a test, as the store keeps them.
 * @module
 */
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { openLayout } from '../../dist/src/tables/table-reader.js';
import type { Workspace } from '../snapshots/workspace.js';
import { applyOn } from './apply-on.js';

export interface MappedOn {
  readonly rows: readonly unknown[];
  readonly types: Readonly<Record<string, unknown>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Output column → input column, for columns that were not written. */
  readonly kept: Readonly<Record<string, string>>;
  /** For each row of the input why it went; null where it stays. */
  readonly why: readonly (string | null)[];
  readonly table: string;
}

export async function mapOn(
  workspace: Workspace,
  rows: readonly object[],
  text: string,
  schema?: TableSchema,
): Promise<MappedOn> {
  return applyOn(workspace, rows, text, schema === undefined ? {} : { schema }, async (applied, _, engine) => {
    const { store } = workspace;
    const made = await openLayout(store, engine, applied.schema, applied.layout);
    let out = '';
    for await (const { bytes } of made.jsonLines()) out += Buffer.from(bytes).toString();
    await made.close();
    return {
      rows: out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown),
      types: Object.fromEntries(applied.schema.columns.map(({ name, type }) => [name, type])),
      counts: applied.counts,
      kept: Object.fromEntries(applied.kept ?? []),
      why: rows.map((_, row) => applied.dropped?.names[applied.dropped.of[row]! - 1] ?? null),
      table: applied.output.table,
    };
  });
}
