/**
 * `holdout transform`: one or more steps from a version to the next version of a name.
 * @module
 */
import { schemaId } from '../../src/identity/ids.ts';
import { HoldoutError } from '../../src/errors.ts';
import { type ChainRun, deriveChain, planChain } from '../../src/lineage/derive-chain.ts';
import type { RowSource } from '../../src/lineage/row-source.ts';
import { traceRows } from '../../src/lineage/trace.ts';
import { itemsRootOf } from '../../src/tables/items-root.ts';
import { openTable } from '../../src/tables/table-reader.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { threads, versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { parseStep } from '../parse-step.ts';
import { stepJson, stepLine } from '../step-text.ts';
import { entryName, openVersion } from '../snapshots.ts';
import { plural } from '../text.ts';

/** Runs the steps and journals the last output, or with `--dry-run` says what would come of them. */
export const transform: Action = async ({ context, operands, options }) => {
  const [from = '', name = ''] = operands;
  const texts = options.list('step');
  if (texts.length === 0) {
    throw new HoldoutError('USAGE', '--step says what to do', {
      hint: `for example --step 'filter: {where: "length(output) > 20"}'; \`holdout transforms\` lists the steps`,
    });
  }
  const steps = texts.map((text) => parseStep(text, builtInTransforms));
  const store = await context.openStore();
  const base = await versionEntry(store, from);
  const engine = await context.openEngine(store);
  const { snapshot, reader } = await openVersion(store, engine, base);
  let trace: Promise<(row: number) => RowSource | null> | undefined;
  const sourceOf = async (row: number): Promise<RowSource | null> => {
    trace ??= traceRows(store, engine, base);
    return (await trace)(row);
  };
  const run: ChainRun = {
    store,
    engine,
    holdoutVersion: context.holdoutVersion,
    steps,
    input: { ref: { table: snapshot.table, schema: snapshot.schema }, reader, sourceOf },
    base,
    name,
    now: context.now(),
    threads,
    resolve: async (other) => (await versionEntry(store, other)).snapshot,
    itemsRootOf: async ({ table, schema }, layout, { fields }) =>
      itemsRootOf(engine, await openTable(store, engine, { table, schema }, layout), fields),
  };
  if (options.flag('dryRun')) {
    const planned = await planChain(run);
    const { table, rows } = planned.at(-1)!;
    if (context.json) await writeJson({ name, table, rows, dryRun: true, steps: planned.map(stepJson) });
    else {
      const last = `${name} would be ${plural(rows, 'row')}, from ${entryName(base)}; nothing was kept`;
      await writeLines([...planned.map(stepLine), last, `  table ${table}`]);
    }
    return exitStatus.ok;
  }
  const { version: made, steps: taken } = await deriveChain(run);
  const { table, setRoot, itemsRoot, rows } = made.record;
  if (context.json) {
    const ids = { name: made.name, version: made.version, snapshot: made.snapshot, table };
    const more = { schema: schemaId(reader.schema), setRoot, itemsRoot, rows };
    await writeJson({ ...ids, ...more, new: made.isNew, dryRun: false, steps: taken.map(stepJson) });
    return exitStatus.ok;
  }
  const last = made.isNew
    ? `${entryName(made)}: ${plural(rows, 'row')}, from ${entryName(base)}`
    : `${entryName(made)} holds this content already; no new version`;
  await writeLines([...taken.map(stepLine), last, `  table ${table}`]);
  return exitStatus.ok;
};
