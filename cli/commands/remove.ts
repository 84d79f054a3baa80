/**
 * `holdout remove`: a new version without the rows that a leak report names.
 * @module
 */
import { deriveVersion } from '../../src/lineage/derive-version.ts';
import { schemaId } from '../../src/identity/ids.ts';
import { HoldoutError } from '../../src/errors.ts';
import { itemsRootOf } from '../../src/tables/items-root.ts';
import { openTable } from '../../src/tables/table-reader.ts';
import { remove } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { findReport } from '../reports.ts';
import { entryName, openVersion } from '../snapshots.ts';
import { plural, shortId } from '../text.ts';

/** Runs `holdout/remove` and journals its output as the next version. */
export const removeRows: Action = async ({ context, operands, options }) => {
  const [version = ''] = operands;
  const hits = options.text('hits');
  if (hits === undefined) {
    throw new HoldoutError('USAGE', '--hits REPORT says which rows to remove', {
      hint: '`holdout check NAME --against EVAL` makes a report; `holdout log` lists them',
    });
  }
  const store = await context.openStore();
  const base = await versionEntry(store, version);
  const { id: report } = await findReport(store, hits);
  const engine = await context.openEngine(store);
  const { snapshot, reader } = await openVersion(context, store, engine, base);
  const step = remove.prepare({ report, hits: options.flag('suspects') ? 'all' : 'leak' });
  const made = await deriveVersion({
    store,
    engine,
    holdoutVersion: context.holdoutVersion,
    step,
    input: { ref: { table: snapshot.table, schema: snapshot.schema }, reader },
    base,
    now: context.now(),
    threads: context.threads,
    resolve: async (other) => (await versionEntry(store, other)).snapshot,
    itemsRootOf: async ({ table, schema }, layout, { fields }) =>
      itemsRootOf(engine, await openTable(store, engine, { table, schema }, layout), fields),
  });
  const { record } = made;
  const removed = snapshot.rows - record.rows;
  if (context.json) {
    const { table, setRoot, itemsRoot, rows } = record;
    const name = { name: made.name, version: made.version, snapshot: made.snapshot };
    const lineage = { removed, new: made.isNew, derivation: made.step.derivation, report };
    await writeJson({ ...name, table, schema: schemaId(reader.schema), setRoot, itemsRoot, rows, ...lineage });
  } else if (made.isNew) {
    await writeLines([
      `${entryName(made)}: ${plural(record.rows, 'row')}, ${plural(removed, 'row')} of ${entryName(base)} removed`,
      `  table ${record.table}`,
      `  step  ${step.name} on ${entryName(base)}, hits of report ${shortId(report)}`,
    ]);
  } else {
    await writeLines([
      removed === 0
        ? `Nothing to remove: no row of ${entryName(base)} is named by report ${shortId(report)}`
        : `${entryName(made)} holds this content already; no new version`,
    ]);
  }
  return exitStatus.ok;
};
