/**
 * `holdout show`: one version, its ids, columns, size and lineage.
 * @module
 */
import { relative } from 'node:path';
import { stepFacts } from '../../src/lineage/describe-step.ts';
import { isReadStep, lineageGraph } from '../../src/lineage/graph.ts';
import { showVersion } from '../../src/snapshots/versions.ts';
import { layoutBytes } from '../../src/snapshots/stored-size.ts';
import { HoldoutError } from '../../src/errors.ts';
import type { Sha256Id } from '../../schemas/ids.ts';
import { errnoOf } from '../../src/store/io-error.ts';
import { tableKey } from '../../src/store/journal-state.ts';
import type { Store } from '../../src/store/store.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { formatFields } from '../parse-options.ts';
import { formatColumn, formatType } from '../../src/tables/types/type-text.ts';
import { entryName } from '../snapshots.ts';
import { formatBytes, formatCount, plural, shortId } from '../text.ts';

/** Describes a version. */
export const show: Action = async ({ context, operands }) => {
  const store = await context.openStore();
  const entry = await versionEntry(store, operands[0] ?? '');
  const { snapshot, schema, realisation } = await showVersion(store, entry);
  const state = await store.journal();
  const layout = state.layouts.get(tableKey(snapshot)) ?? entry.layout;
  const graph = await lineageGraph(store, state, entry);
  const steps = graph.map((step) => {
    const { name, version } = step.derivation.transform;
    const facts = stepFacts(builtInTransforms, graph, step);
    return {
      transform: `${name}@${version}`,
      says: isReadStep(step.derivation) ? null : facts.says,
      version: facts.version,
      table: step.realisation.output.table,
      rows: step.realisation.output.rows,
      counts: step.realisation.counts,
      records: step.realisation.records ?? [],
      sources: step.entry.sources.map(({ path }) => path),
    };
  });
  const storedBytes = await bytesOf(store, layout);
  const fields = formatFields(snapshot.fields);
  if (context.json) {
    const { type: _, ...identity } = snapshot;
    await writeJson({
      name: entry.name,
      version: entry.version,
      snapshot: entry.snapshot,
      ...identity,
      time: entry.time,
      columns: schema.columns.map((column) => ({ name: column.name, type: formatType(column.type) })),
      storedBytes,
      ...(layout === undefined
        ? {}
        : { layout, layoutPath: relative(process.cwd(), store.filePath('layout', layout)) }),
      derivation: entry.derivation,
      realisation: entry.realisation,
      engine: realisation.engine,
      lineage: steps,
      sources: entry.sources,
    });
  } else {
    await writeLines([
      `${entryName(entry)}  ${entry.time}`,
      `  rows     ${formatCount(snapshot.rows)}${storedBytes === null ? '' : `, stored in ${formatBytes(storedBytes)}`}`,
      `  role     ${snapshot.role}${fields === '' ? '' : `  (${fields})`}`,
      `  table    ${snapshot.table}`,
      ...(snapshot.itemsRoot === null ? [] : [`  items    ${snapshot.itemsRoot}`]),
      `  columns  ${schema.columns.map(formatColumn).join(', ')}`,
      '  lineage',
      ...steps.map((step) => {
        const what = step.says ?? (step.sources.length === 0 ? step.transform : `read ${step.sources.join(' ')}`);
        const found = step.records.map((id) => `, report ${shortId(id)}`).join('');
        return `    ${what} → ${step.version === null ? '' : `${step.version}, `}${plural(step.rows, 'row')}${found}`;
      }),
    ]);
  }
  return exitStatus.ok;
};

/** Bytes of the version's parts; null when the store has lost something of it. */
async function bytesOf(store: Store, layout: Sha256Id | undefined): Promise<number | null> {
  if (layout === undefined) return null;
  try {
    return await layoutBytes(store, layout);
  } catch (error) {
    const lost = error instanceof HoldoutError && ['NOT_FOUND', 'STORE_CORRUPT'].includes(error.code);
    if (lost || errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
