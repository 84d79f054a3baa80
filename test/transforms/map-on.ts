/**
 * Runs a mapping step on rows made for a test, as the store keeps them.
 * @module
 */
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { bindStep } from '../../dist/src/lineage/bind-step.js';
import { applyStep } from '../../dist/src/lineage/run-step.js';
import { tableKey } from '../../dist/src/store/journal-state.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import { openLayout } from '../../dist/src/tables/table-reader.js';
import type { Workspace } from '../snapshots/workspace.js';
import { prepare } from './step-bench.js';

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

let tables = 0;
const resolve = (named: string): Promise<never> => Promise.reject(new Error(`nobody asks for ${named}`));

export async function mapOn(
  workspace: Workspace,
  rows: readonly object[],
  text: string,
  schema?: TableSchema,
): Promise<MappedOn> {
  const name = `mapped-${++tables}`;
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  await workspace.add(name, await workspace.write(`${name}.jsonl`, lines), schema === undefined ? {} : { schema });
  const { store } = workspace;
  return workspace.read(name, async (reader, engine) => {
    const { record } = await workspace.version(name);
    const bound = await bindStep({ store, resolve }, prepare(text), record);
    const layout = await readLayout(store, (await store.journal()).layouts.get(tableKey(record))!);
    const applied = await applyStep({ store, engine, threads: 2 }, bound, { reader, layout, ref: record });
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
