/**
 * A chain of steps from a version to the next version of a name, as commands run it.
 * @module
 */
import { snapshotRecord } from '../schemas/records.ts';
import type { Engine } from '../src/engine/engine.ts';
import { namedDatasets } from '../src/lineage/bind-step.ts';
import type { ChainRun } from '../src/lineage/derive-chain.ts';
import type { RowPlace } from '../src/lineage/row-source.ts';
import { lineOfDocument } from '../src/lineage/document-rows.ts';
import { tracePlaces } from '../src/lineage/trace.ts';
import type { PreparedStep } from '../src/lineage/transform.ts';
import type { VersionEntry } from '../src/store/journal-state.ts';
import type { Store } from '../src/store/store.ts';
import { itemsRootOf } from '../src/tables/items-root.ts';
import type { TableReader } from '../src/tables/table-reader.ts';
import { openTable } from '../src/tables/table-reader.ts';
import type { CliContext } from './context.ts';
import { versionEntry } from './inputs.ts';
import { entryName, keepTable, openVersion } from './snapshots.ts';

/** What is to be made of what. */
export interface ChainAsked {
  readonly store: Store;
  readonly engine: Engine;
  readonly base: VersionEntry;
  readonly name: string;
  readonly steps: readonly PreparedStep[];
  /** Where paths in their parameters begin. */
  readonly folder: string;
}

/** The run of a chain, its input open; close the reader after it. */
export async function openChain(
  context: CliContext,
  { store, engine, base, name, steps, folder }: ChainAsked,
): Promise<{ readonly run: ChainRun; readonly reader: TableReader }> {
  const { snapshot, reader } = await openVersion(context, store, engine, base);
  const reads = [base.seq];
  for (const named of namedDatasets(steps)) reads.push((await versionEntry(store, named)).seq);
  let trace: ReturnType<typeof tracePlaces> | undefined;
  const sourceOf = async (row: number): Promise<RowPlace | null> => {
    trace ??= tracePlaces(store, engine, base);
    const place = (await trace)(row);
    return place === null ? null : lineOfDocument({ store, engine }, place);
  };
  const run: ChainRun = {
    store,
    engine,
    holdoutVersion: context.holdoutVersion,
    steps,
    folder,
    input: { ref: { table: snapshot.table, schema: snapshot.schema }, setRoot: snapshot.setRoot, reader, sourceOf },
    base,
    reads,
    name,
    now: context.now(),
    threads: context.threads,
    signal: context.signal,
    resolve: async (other) => {
      const entry = await versionEntry(store, other);
      await keepTable(
        context,
        store,
        engine,
        await store.getRecord(entry.snapshot, snapshotRecord),
        entryName(entry),
        entry,
      );
      return entry.snapshot;
    },
    itemsRootOf: async ({ table, schema }, layout, { fields }) =>
      itemsRootOf(engine, await openTable(store, engine, { table, schema }, layout), fields),
  };
  return { run, reader };
}
