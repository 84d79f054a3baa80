/**
 * How the version of a dataset comes by what the pipeline says now: its steps, and the entries of the journal that they
 * read; and in words, how it came before.
 * @module
 */
import { namedDatasets } from '../lineage/bind-step.ts';
import { type VersionOrigin, recipeOf } from '../snapshots/same-rows.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import { fileDigests } from './file-state.ts';
import type { DerivedNode } from './pipeline.ts';
import type { PlanFacts, PlannedStep } from './plan-run.ts';

/**
 * How a dataset comes whose steps' outcomes are all known.
 * @throws HoldoutError as the facts do
 */
export async function derivedOrigin(
  { from, steps: asked }: DerivedNode,
  {
    folder,
    steps,
    newest,
  }: { readonly folder: string; readonly steps: readonly PlannedStep[]; readonly newest: VersionEntry },
  facts: PlanFacts,
): Promise<VersionOrigin> {
  const recipe = steps.map(({ derivation }) => ({ derivation }));
  const through = recipe.slice(0, -1);
  const reads: number[] = [];
  for (const [index, name] of [from, ...namedDatasets(asked.map(({ step }) => step))].entries()) {
    reads.push(await entryRead(name, newest.reads?.[index], facts));
  }
  return {
    ...recipe.at(-1)!,
    ...(through.length === 0 ? {} : { through }),
    reads,
    ...facts.writtenFolder(folder),
    sources: [],
  };
}

/** The entry that a name means. One that names a content by its id means what was read, where that has it. */
async function entryRead(text: string, before: number | undefined, facts: PlanFacts): Promise<number> {
  const { entry } = (await facts.version(text))!;
  const isExact = text === entry.name || text === `${entry.name}@${entry.version}`;
  const was = before === undefined || isExact ? null : await facts.entryAt(before);
  return was !== null && was.name === entry.name && was.snapshot === entry.snapshot ? was.seq : entry.seq;
}

/** In words, why a version that has the rows of a dataset is not made as the pipeline says. */
export async function otherOrigin(facts: PlanFacts, newest: VersionEntry, now: VersionOrigin): Promise<string> {
  if (recipeOf(newest).join() !== recipeOf(now).join()) {
    return `${newest.name}@${newest.version}, its newest version, holds these rows by another recipe`;
  }
  const { reads = [] } = now;
  const index = reads.findIndex((seq, at) => seq !== newest.reads?.[at]);
  if (index < 0) return 'paths in its steps begin in another folder now';
  const [was, is] = [await nameAt(facts, newest.reads?.[index]), await nameAt(facts, reads[index])];
  return `it was made of ${was}, and is made of ${is} now, with the same rows`;
}

async function nameAt(facts: PlanFacts, seq: number | undefined): Promise<string> {
  const entry = seq === undefined ? null : await facts.entryAt(seq);
  return entry === null ? 'what its entry does not say' : `${entry.name}@${entry.version}`;
}

/** The same of a dataset of files. */
export async function otherFiles(facts: PlanFacts, newest: VersionEntry, now: VersionOrigin): Promise<string> {
  if (newest.sources.length === 0)
    return `${newest.name}@${newest.version}, its newest version, holds these rows, and was not read from files`;
  const moved = now.sources.filter(({ path }, index) => path !== newest.sources[index]?.path);
  const more = moved.length > 1 ? ` and ${moved.length - 1} more` : '';
  if (moved.length > 0) return `${moved[0]!.path}${more} is read now, with the same rows`;
  if (newest.derivation === now.derivation) return 'its files are named in another way';
  const [was, is] = [await facts.asked(newest.derivation), await facts.asked(now.derivation)];
  const sameBytes = was !== null && is !== null && fileDigests(was).join() === fileDigests(is).join();
  return sameBytes
    ? 'its files are read in another way, with the same rows'
    : 'its files have other bytes, with the same rows';
}
