/**
 * `holdout ls`: the datasets of the store.
 * @module
 */
import { listNames } from '../../src/snapshots/versions.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { remark, writeJson, writeTable } from '../output.ts';
import { alignTable, formatCount, shortId } from '../text.ts';

/** Lists each name with its newest version. */
export const ls: Action = async ({ context }) => {
  const store = await context.openStore();
  const names = await listNames(store);
  if (context.json) {
    const datasets = names.map(({ entry, snapshot }) => {
      const { table, schema, setRoot, itemsRoot, rows, role } = snapshot;
      const { name, version, time } = entry;
      return { name, version, role, rows, table, schema, setRoot, itemsRoot, snapshot: entry.snapshot, time };
    });
    await writeJson({ datasets });
  } else if (names.length === 0) {
    remark('No datasets yet: holdout add NAME FILES… --role train|eval');
  } else {
    const rows = names.map(({ entry, snapshot }) => [
      entry.name,
      `@${entry.version}`,
      snapshot.role === 'none' ? '-' : snapshot.role,
      formatCount(snapshot.rows),
      shortId(snapshot.table),
      entry.time.slice(0, 10),
    ]);
    const width = process.stdout.isTTY ? process.stdout.columns : undefined;
    await writeTable(alignTable([['name', '', 'role', 'rows', 'table', 'added'], ...rows], { right: [3], width }));
  }
  return exitStatus.ok;
};
