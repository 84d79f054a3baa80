/**
 * `holdout status`: which source files have changed since their snapshot.
 * @module
 */
import { blobRecord } from '../../schemas/records.ts';
import { type SourceStatus, statusOf } from '../../src/snapshots/status.ts';
import type { Store } from '../../src/store/store.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { entryName } from '../snapshots.ts';
import { alignTable, plural } from '../text.ts';

const said: Readonly<Record<SourceStatus['state'], string>> = {
  unchanged: 'unchanged',
  changed: 'changed',
  missing: 'missing',
  gone: 'was standard input',
};

/** What is still to be had of a version whose file is missing. */
async function storedText(store: Store, name: string): Promise<string> {
  const entry = await versionEntry(store, name);
  for (const { blob } of entry.sources) {
    if ((await store.getRecord(blob, blobRecord)).content.kind === 'digest') {
      return `The rows of ${name} are still stored (holdout export ${name} --to FILE writes them)`;
    }
  }
  return `The rows of ${name} are still stored (holdout export ${name} --raw DIR gives the file back)`;
}

/** Compares the source files of the newest versions with what was snapshotted. */
export const status: Action = async ({ context, operands, options }) => {
  const store = await context.openStore();
  const names: string[] = [];
  for (const name of operands) names.push((await versionEntry(store, name)).name);
  const sources = await statusOf(store, names.length === 0 ? undefined : names);
  const changed = sources.filter(({ state }) => state === 'changed' || state === 'missing');
  if (context.json) await writeJson({ sources });
  else {
    await writeLines(alignTable(changed.map((source) => [said[source.state], entryName(source), source.path])));
    const missing = changed.filter(({ state }) => state === 'missing');
    for (const name of new Set(missing.map(entryName))) {
      await writeLines([await storedText(store, name)]);
    }
    const rest = plural(sources.length - changed.length, 'source file');
    await writeLines([
      changed.length === 0
        ? `Nothing has changed: ${plural(sources.length, 'source file')} of the newest versions`
        : missing.length === changed.length
          ? `${rest} unchanged`
          : `${rest} unchanged; holdout add NAME FILES… makes the next version of what changed`,
    ]);
  }
  return options.flag('exitCode') && changed.length > 0 ? exitStatus.found : exitStatus.ok;
};
