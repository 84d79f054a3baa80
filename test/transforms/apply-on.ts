/**
 * Applies a step to rows made for a test, as the store keeps them.
 * @module
 */
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import type { Engine } from '../../dist/src/engine/engine.js';
import { bindStep } from '../../dist/src/lineage/bind-step.js';
import { type AppliedStep, applyStep } from '../../dist/src/lineage/run-step.js';
import { tableKey } from '../../dist/src/store/journal-state.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import type { TableReader } from '../../dist/src/tables/table-reader.js';
import type { Workspace } from '../snapshots/workspace.js';
import { linesOf, prepare } from './step-bench.js';

let tables = 0;
const resolve = (named: string): Promise<never> => Promise.reject(new Error(`nobody asks for ${named}`));

/** Adds the rows and applies the step; `use` is given what came of it and the rows that it took. */
export async function applyOn<T>(
  workspace: Workspace,
  rows: readonly object[],
  text: string,
  options: { readonly schema?: TableSchema },
  use: (applied: AppliedStep, reader: TableReader, engine: Engine) => Promise<T>,
): Promise<T> {
  const name = `rows-${++tables}`;
  await workspace.add(name, await workspace.write(`${name}.jsonl`, linesOf(rows)), options);
  const { store } = workspace;
  return workspace.read(name, async (reader, engine) => {
    const { record } = await workspace.version(name);
    const bound = await bindStep({ store, resolve }, prepare(text), record);
    const layout = await readLayout(store, (await store.journal()).layouts.get(tableKey(record))!);
    return use(await applyStep({ store, engine, threads: 2 }, bound, { reader, layout, ref: record }), reader, engine);
  });
}
