/**
 * `holdout why`: which step dropped a row on the way to a version, and by which rule.
 * @module
 */
import { HoldoutError } from '../../src/errors.ts';
import { otherNames, stepFacts, withNames } from '../../src/lineage/describe-step.ts';
import { type LineageStep, lineageGraph } from '../../src/lineage/graph.ts';
import { refuseCode } from '../../src/lineage/rebuild.ts';
import { rowsFrom } from '../../src/lineage/row-origins.ts';
import { type RowFate, tablesFollowed, whyDropped } from '../../src/lineage/why-dropped.ts';
import type { Store } from '../../src/store/store.ts';
import { fetchRows } from '../../src/tables/rows-at.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action, Options } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { remark, writeJson, writeLines } from '../output.ts';
import { rowsAsked } from '../rows-asked.ts';
import { entryName, tableAccess } from '../snapshots.ts';
import { countWords, countsText, toldCounts } from '../step-text.ts';
import { clip, formatCount, plural, printable } from '../text.ts';

const textWidth = 100;

/** Tells of rows, or of every step how many it let go. */
export const why: Action = async ({ context, operands, options }) => {
  const asked = options.list('row').length > 0 || options.text('where') !== undefined;
  refuseUnheard(options, asked);
  const store = await context.openStore();
  const entry = await versionEntry(store, operands[0] ?? '');
  const steps = await lineageGraph(store, await store.journal(), entry);
  if (!asked) {
    const told = steps
      .filter(({ inputs }) => inputs.length > 0)
      .map((step) => ({ summary: summaryOf(steps, step), others: otherNames(steps, step) }));
    if (context.json) await writeJson({ version: entryName(entry), steps: told.map(({ summary }) => summary) });
    else await writeLines(told.map(summaryLine));
    return exitStatus.ok;
  }
  const engine = await context.openEngine(store);
  const from = await startOf(store, steps, options.text('from'));
  // Rows that come back by reading are not made again for an answer that then takes code of one's own.
  const access = tableAccess(context, store, engine, entry, (dropped) =>
    refuseCode(builtInTransforms, steps, dropped, tablesFollowed(steps, from.index)),
  );
  const reader = await access.open(from.realisation.output);
  const { rows, more } = await rowsAsked(engine, reader, options);
  const run = { ...access, engine, transforms: builtInTransforms, threads: context.threads };
  const fates = await whyDropped(run, steps, from.index, rows);
  const base = stepPlace(from);
  const others = rawSteps(steps)
    .filter((step) => step !== from)
    .map(stepPlace);
  if (options.text('from') === undefined && others.length > 0) {
    remark(`note: these are rows of ${base}; --from asks of another: ${others.join(', ')}`);
  }
  if (context.json) {
    await writeJson({
      version: entryName(entry),
      from: base,
      rows: fates.map(({ dropped, ...fate }) => ({ ...fate, dropped: dropped.map((each) => dropJson(steps, each)) })),
      more,
    });
    return exitStatus.ok;
  }
  const texts = new Map((await fetchRows(engine, reader, rows)).map(({ row, text }) => [row, text]));
  for (const fate of fates) {
    await writeLines([
      `${base} row ${formatCount(fate.row + 1)}: ${clip(texts.get(fate.row) ?? '', textWidth)}`,
      ...fateLines(steps, fate, entryName(entry)),
    ]);
  }
  if (rows.length === 0) await writeLines(['No row is one of those.']);
  if (more > 0) await writeLines([`${plural(more, 'row')} more; --limit shows more`]);
  return exitStatus.ok;
};

/** @throws HoldoutError USAGE for options that would change nothing */
function refuseUnheard(options: Options, asked: boolean): void {
  if (asked && options.flag('summary')) {
    throw new HoldoutError('USAGE', '--summary tells of every step, --row and --where of rows: give one of them');
  }
  const unheard = ['from', 'limit'].find((name) => options.text(name) !== undefined);
  if (!asked && unheard !== undefined) {
    throw new HoldoutError('USAGE', `--${unheard} needs --row N or --where PREDICATE`);
  }
}

/** The table that rows are asked of: the raw one at the end of the first inputs, or a version on the way. */
async function startOf(store: Store, steps: readonly LineageStep[], from: string | undefined): Promise<LineageStep> {
  if (from !== undefined) {
    const entry = await versionEntry(store, from);
    const found = steps.find((step) => step.named && step.entry.seq === entry.seq);
    if (found !== undefined) return found;
    const names = steps.filter(({ named }) => named).map((step) => entryName(step.entry));
    throw new HoldoutError('USAGE', `--from ${from}: it does not stand in the lineage`, {
      hint: `these do: ${names.join(', ')}`,
    });
  }
  let step = steps.at(-1)!;
  while (step.inputs[0] !== undefined) step = steps[step.inputs[0].step]!;
  return step;
}

/** The read steps that rows come from. */
function rawSteps(steps: readonly LineageStep[]): LineageStep[] {
  const open = new Set([steps.at(-1)!]);
  for (const step of open) for (const input of rowsFrom(step)) open.add(steps[input.step]!);
  return steps.filter((step) => open.has(step) && step.inputs.length === 0);
}

function stepPlace({ named, entry, index }: LineageStep): string {
  return named ? entryName(entry) : `step ${index + 1}`;
}

function fateLines(steps: readonly LineageStep[], fate: RowFate, name: string): string[] {
  const kept = fate.stays.slice(0, 5).map((row) => formatCount(row + 1));
  const stays = fate.stays.length === 0 ? [] : [`  stays: row ${kept.join(', ')} of ${name}`];
  const unknown = fate.unknown === null ? [] : [`  opaque from there on: ${fate.unknown}`];
  const gone = fate.dropped.map(({ step, row, rule, why: because, stays: other }) => {
    const { transform, says, version } = stepFacts(builtInTransforms, steps, steps[step]!);
    const where = version === null ? `step ${step + 1}` : `step ${step + 1}, ${version}`;
    const stead = other === null ? '' : `; row ${formatCount(other + 1)} stays in its stead`;
    const what =
      because === null
        ? `${rule === null ? '' : `${countWords(rule, 2, otherNames(steps, steps[step]!))}: `}${clip(says, textWidth)}`
        : printable(withNames(because, steps, steps[step]!));
    return `  dropped by ${transform} (${where}): ${what} (row ${formatCount(row + 1)} of its input${stead})`;
  });
  if (stays.length + unknown.length + gone.length === 0) return [`  nothing on the way to ${name} took it`];
  return [...gone, ...stays, ...unknown];
}

function dropJson(
  steps: readonly LineageStep[],
  { step, row, rule, why: because, stays }: RowFate['dropped'][number],
): Record<string, unknown> {
  const { transform, says, version } = stepFacts(builtInTransforms, steps, steps[step]!);
  const words = because === null ? null : withNames(because, steps, steps[step]!);
  return { step: step + 1, transform, says, version, row, rule, why: words, stays };
}

interface Summary {
  readonly step: number;
  readonly transform: string;
  readonly says: string;
  readonly version: string | null;
  /** Of its own input. */
  readonly rowsBefore: number;
  /** Other tables whose rows can be among its own, in their order. */
  readonly beside: readonly { readonly name: string; readonly rows: number }[];
  readonly rows: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** A summary, and the names that its counts are told with. */
interface ToldSummary {
  readonly summary: Summary;
  readonly others: readonly string[];
}

function summaryOf(steps: readonly LineageStep[], step: LineageStep): Summary {
  const { transform, says, version } = stepFacts(builtInTransforms, steps, step);
  const [rowsBefore = 0, ...others] = rowsFrom(step).map((input) => steps[input.step]!.realisation.output.rows);
  const names = otherNames(steps, step);
  const beside = others.map((rows, index) => ({ name: names[index] ?? '', rows }));
  const { output, counts } = step.realisation;
  return { step: step.index + 1, transform, says, version, rowsBefore, beside, rows: output.rows, counts };
}

function summaryLine({ summary, others }: ToldSummary): string {
  const { step, transform, says, version, rowsBefore, beside, rows, counts } = summary;
  const name = version === null ? '' : ` → ${version}`;
  const before = [
    formatCount(rowsBefore),
    ...beside.map((other) => `${formatCount(other.rows)} of ${printable(other.name)}`),
  ];
  const told = countsText(counts, others, toldCounts(transform));
  return `${step}. ${transform}${name}: ${before.join(' and ')} → ${formatCount(rows)}${told}  ${clip(says, textWidth)}`;
}
