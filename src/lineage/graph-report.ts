/**
 * The lineage of a version as people and programs are shown it.
 * @module
 */
import { existsSync } from 'node:fs';
import type { LineageReport, LineageStepReport } from '../../schemas/lineage.ts';
import type { TableRef } from '../../schemas/records.ts';
import { type JournalState, type VersionEntry, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { stepFacts } from './describe-step.ts';
import { lineageGraph } from './graph.ts';
import type { Transform } from './transform.ts';

/**
 * Everything that is known of the steps that led to a version.
 * @throws HoldoutError as the store does
 */
export async function reportLineage(
  store: Store,
  transforms: readonly Transform[],
  target: VersionEntry,
): Promise<LineageReport> {
  const state = await store.journal();
  const graph = await lineageGraph(store, state, target);
  const steps = graph.map((step): LineageStepReport => {
    const { output, counts } = step.realisation;
    return {
      step: step.index + 1,
      ...stepFacts(transforms, graph, step),
      inputs: step.inputs.map((input) => ({
        step: input.step + 1,
        rows: graph[input.step]!.realisation.output.rows,
      })),
      rows: output.rows,
      counts,
      table: output.table,
      schema: output.schema,
      setRoot: output.setRoot,
      ...step.ids,
      output: outputState(store, state, output),
      files: step.entry.sources.map(({ path }) => path),
    };
  });
  return { type: 'holdout/lineage@1', version: `${target.name}@${target.version}`, steps };
}

function outputState(store: Store, state: JournalState, ref: TableRef): LineageStepReport['output'] {
  const layout = state.layouts.get(tableKey(ref));
  if (layout === undefined) return state.dropped.has(tableKey(ref)) ? 'dropped' : 'lost';
  return existsSync(store.filePath('layout', layout)) ? 'stored' : 'lost';
}
