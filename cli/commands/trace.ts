/**
 * `holdout trace`: rows of a version back to the raw file, line and bytes, step by step; `--forward` is `trace-forward.ts`.
 * @module
 */
import type { Engine } from '../../src/engine/engine.ts';
import { HoldoutError } from '../../src/errors.ts';
import { stepFacts } from '../../src/lineage/describe-step.ts';
import { type LineageStep, lineageGraph } from '../../src/lineage/graph.ts';
import { rawLines } from '../../src/lineage/raw-lines.ts';
import { fileOfRow, filesRead, lineOf } from '../../src/lineage/read-files.ts';
import { type TracedRow, traceBack } from '../../src/lineage/trace.ts';
import type { Store } from '../../src/store/store.ts';
import { fetchRows } from '../../src/tables/rows-at.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action, Options } from '../command-spec.ts';
import type { CliContext } from '../context.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { rowsAsked } from '../rows-asked.ts';
import { entryName, openVersion, tableAccess } from '../snapshots.ts';
import { clip, formatCount, plural } from '../text.ts';
import { traceRowsForward } from '../trace-forward.ts';

const textWidth = 100;

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
  const traced = await traceBack(tableAccess(context, store, engine), steps, rows);
  const texts = new Map((await fetchRows(engine, reader, rows)).map(({ row, text }) => [row, text]));
  const raws = await rawPlaces(store, engine, steps, traced);
  if (context.json) {
    await writeJson({
      version: entryName(entry),
      rows: traced.map((each, index) => ({
        row: each.row,
        text: texts.get(each.row),
        steps: each.hops.map((hop) => hopJson(steps, hop)),
        stops: each.stops,
        source: raws[index] ?? null,
      })),
      more,
    });
    return exitStatus.ok;
  }
  for (const [index, each] of traced.entries()) {
    await writeLines([
      `${entryName(entry)} row ${formatCount(each.row + 1)}: ${clip(texts.get(each.row) ?? '', textWidth)}`,
      ...each.hops.map(({ step, row }) => {
        const facts = stepFacts(builtInTransforms, steps, steps[step]!);
        return `  ${step + 1}. ${clip(facts.says, textWidth)}: row ${formatCount(row + 1)}${facts.version === null ? '' : ` of ${facts.version}`}`;
      }),
      ...(each.stops === null ? placeLines(raws[index] ?? null) : [`  the trace ends here: ${each.stops}`]),
    ]);
  }
  if (rows.length === 0) await writeLines(['No row is one of those.']);
  if (more > 0) await writeLines([`${plural(more, 'row')} more; --limit shows more`]);
  return exitStatus.ok;
}

function hopJson(
  steps: readonly LineageStep[],
  { step, row }: { readonly step: number; readonly row: number },
): Record<string, unknown> {
  const { transform, says, version } = stepFacts(builtInTransforms, steps, steps[step]!);
  return { step: step + 1, transform, says, version, row };
}

/** Where a row stood in a raw file. */
interface RawPlace {
  readonly file: string;
  readonly sha256: string;
  /** Row of the file, from 0. */
  readonly row: number;
  readonly line: number | null;
  readonly offset: number | null;
  readonly bytes: number | null;
  readonly text: string | null;
}

async function rawPlaces(
  store: Store,
  engine: Engine,
  steps: readonly LineageStep[],
  traced: readonly TracedRow[],
): Promise<readonly (RawPlace | null)[]> {
  const places: (RawPlace | null)[] = traced.map(() => null);
  for (const step of steps) {
    const here = traced.flatMap(({ hops, stops }, index) =>
      stops === null && hops.at(-1)!.step === step.index ? [{ index, row: hops.at(-1)!.row }] : [],
    );
    if (here.length === 0) continue;
    const files = await filesRead(store, step);
    for (const file of files) {
      const rows = here.filter(({ row }) => fileOfRow(files, row) === file);
      const lineOfEach = rows.map(({ row }) => lineOf(files, row)?.line ?? null);
      const lines = await rawLines(
        { store, engine },
        file.blob,
        lineOfEach.filter((line) => line !== null),
      );
      for (const [at, { index, row }] of rows.entries()) {
        const line = lineOfEach[at] ?? null;
        const raw = line === null ? undefined : lines.get(line);
        places[index] = {
          file: file.path,
          sha256: file.blob.sha256,
          row: row - file.firstRow,
          line,
          offset: raw?.offset ?? null,
          bytes: raw?.bytes ?? null,
          text: raw?.text ?? null,
        };
      }
    }
  }
  return places;
}

function placeLines(place: RawPlace | null): string[] {
  if (place === null) return ['  the store does not say which raw file it was'];
  if (place.line === null) {
    return [`  ${place.file}, row ${formatCount(place.row + 1)}; its bytes are not kept line by line`];
  }
  const where = `  ${place.file}:${place.line}, ${plural(place.bytes ?? 0, 'byte')} from byte ${formatCount(place.offset ?? 0)}`;
  return [where, `  ${clip(place.text ?? '', textWidth)}`];
}
