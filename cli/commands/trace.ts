/**
 * `holdout trace`: rows of a version back to the raw file, line and bytes, step by step; `--forward` is `trace-forward.ts`.
 * @module
 */
import type { Engine } from '../../src/engine/engine.ts';
import { HoldoutError } from '../../src/errors.ts';
import { stepFacts } from '../../src/lineage/describe-step.ts';
import { lineageGraph } from '../../src/lineage/graph.ts';
import { traceBack } from '../../src/lineage/trace.ts';
import type { Store } from '../../src/store/store.ts';
import { fetchRows } from '../../src/tables/rows-at.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action, Options } from '../command-spec.ts';
import type { CliContext } from '../context.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { parseCount } from '../parse-options.ts';
import { rowsAsked } from '../rows-asked.ts';
import { entryName, openVersion, tableAccess } from '../snapshots.ts';
import { clip, formatCount, plural } from '../text.ts';
import { traceRowsForward } from '../trace-forward.ts';
import { rawPlaces } from '../raw-places.ts';
import { endLines, wayJson } from '../traced-ways.ts';

const textWidth = 100;
/** Rows shown that a row was made of: without and with --json, and at most. */
const inputsOfText = 10;
const inputsOfJson = 1_000;
const inputsMax = 10_000;

/** Traces rows back, or forward. */
export const trace: Action = async ({ context, operands, options }) => {
  refuseUnclear(operands, options);
  const store = await context.openStore();
  const engine = await context.openEngine(store);
  return options.flag('forward')
    ? traceRowsForward(context, store, engine, operands, options)
    : back(context, store, engine, operands, options);
};

/** @throws HoldoutError USAGE where nothing says which rows, or two things do */
function refuseUnclear(operands: readonly string[], options: Options): void {
  const [file, line] = [options.text('file'), options.text('line')];
  const hint = 'for example: holdout trace NAME --row 7, or holdout trace --forward --file train.jsonl --line 7';
  if (file === undefined && line === undefined) {
    if (operands.length > 0) return;
    throw new HoldoutError('USAGE', 'no version was named, so nothing says whose rows are meant', { hint });
  }
  if (!options.flag('forward')) throw new HoldoutError('USAGE', '--file and --line go with --forward', { hint });
  if (file === undefined) throw new HoldoutError('USAGE', '--line needs --file FILE', { hint });
  if (operands.length > 0 || options.list('row').length > 0 || options.text('where') !== undefined) {
    throw new HoldoutError('USAGE', 'rows are named by NAME with --row or --where, or by --file with --line', { hint });
  }
}

async function back(
  context: CliContext,
  store: Store,
  engine: Engine,
  operands: readonly string[],
  options: Options,
): Promise<number> {
  const entry = await versionEntry(store, operands[0] ?? '');
  const { reader } = await openVersion(context, store, engine, entry);
  const { rows, more } = await rowsAsked(engine, reader, options);
  const steps = await lineageGraph(store, await store.journal(), entry);
  const asked = parseCount('--limit', options.text('limit')) ?? (context.json ? inputsOfJson : inputsOfText);
  const waysMax = Math.min(Math.max(asked, 1), inputsMax);
  const traced = await traceBack(tableAccess(context, store, engine, entry), steps, rows, waysMax);
  const texts = new Map((await fetchRows(engine, reader, rows)).map(({ row, text }) => [row, text]));
  const lineage = { steps, places: await rawPlaces(store, engine, steps, traced) };
  if (context.json) {
    await writeJson({
      version: entryName(entry),
      rows: traced.map((each) => ({ row: each.row, text: texts.get(each.row), ...wayJson(lineage, each) })),
      more,
    });
    return exitStatus.ok;
  }
  for (const each of traced) {
    await writeLines([
      `${entryName(entry)} row ${formatCount(each.row + 1)}: ${clip(texts.get(each.row) ?? '', textWidth)}`,
      ...each.hops.map(({ step, row }) => {
        const facts = stepFacts(builtInTransforms, steps, steps[step]!);
        return `  ${step + 1}. ${clip(facts.says, textWidth)}: row ${formatCount(row + 1)}${facts.version === null ? '' : ` of ${facts.version}`}`;
      }),
      ...endLines(lineage, each),
    ]);
  }
  if (rows.length === 0) await writeLines(['No row is one of those.']);
  if (more > 0) await writeLines([`${plural(more, 'row')} more; --limit shows more`]);
  return exitStatus.ok;
}
