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
import { asHoldoutError, writeJson, writeLines } from '../output.ts';
import { findPipelineFile, openPipeline } from '../pipeline-file.ts';
import { entryName } from '../snapshots.ts';
import { alignTable, plural } from '../text.ts';

const said: Readonly<Record<SourceStatus['state'], string>> = {
  unchanged: 'unchanged',
  changed: 'changed',
  missing: 'missing',
  new: 'new',
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
  const of = (...states: readonly SourceStatus['state'][]): readonly SourceStatus[] =>
    sources.filter(({ state }) => states.includes(state));
  const changed = of('changed', 'missing', 'new');
  const missing = of('missing');
  if (context.json) await writeJson({ sources });
  else {
    const listed = [...changed, ...of('gone')];
    await writeLines([
      ...alignTable(listed.map((source) => [said[source.state], entryName(source), shownPath(source)])),
      ...(await Promise.all([...new Set(missing.map(entryName))].map((name) => storedText(store, name)))),
      summary(of('unchanged').length, changed.length, missing.length, await nextCommands(store, changed)),
    ]);
  }
  return options.flag('exitCode') && changed.length > 0 ? exitStatus.found : exitStatus.ok;
};

function shownPath({ path, state, sameAs }: SourceStatus): string {
  if (sameAs === null) return path;
  return state === 'new' ? `${path} (the content of ${sameAs})` : `${path} (${sameAs} has its content)`;
}

function summary(unchanged: number, changed: number, missing: number, next: string): string {
  if (unchanged + changed === 0) return 'No source file to compare with';
  if (changed === 0) return `Nothing has changed: ${plural(unchanged, 'source file')} of the newest versions`;
  const how = missing === changed ? '' : `; ${next}`;
  return `${plural(unchanged, 'source file')} unchanged${how}`;
}

/** What takes changed files in: `run` where a pipeline reads them, `add` for the others. */
async function nextCommands(store: Store, changed: readonly SourceStatus[]): Promise<string> {
  const makes = 'makes the next version of what changed';
  const add = 'holdout add NAME FILES…';
  const inPipeline = await pipelineSources(store);
  const open = changed.filter(({ state }) => state !== 'missing');
  const byRun = open.filter(({ name }) => inPipeline.has(name)).length;
  if (byRun === 0) return `${add} makes the next version where rows changed`;
  return byRun === open.length
    ? `holdout run ${makes}`
    : `holdout run, or ${add} for what is not in its file, ${makes}`;
}

/** Names that the pipeline of the project reads from files; none where there is none, or it cannot be read. */
async function pipelineSources(store: Store): Promise<ReadonlySet<string>> {
  try {
    const { pipeline } = await openPipeline(await findPipelineFile(undefined), store, process.cwd());
    return new Set(pipeline.nodes.filter(({ kind }) => kind === 'files').map(({ name }) => name));
  } catch (error) {
    // What is wrong with the file is told by `run`, which reads it for good.
    if (asHoldoutError(error) !== null) return new Set();
    throw error;
  }
}
