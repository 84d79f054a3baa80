/**
 * `holdout trace`: rows of a version back to the raw file, line and bytes; with `--forward` on to every version that
 * holds them or something made of them.
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Engine } from '../../src/engine/engine.ts';
import { HoldoutError } from '../../src/errors.ts';
import { stepFacts } from '../../src/lineage/describe-step.ts';
import { shortStepName } from '../../src/lineage/find-step.ts';
import { type LineageStep, lineageGraph } from '../../src/lineage/graph.ts';
import { rawLines } from '../../src/lineage/raw-lines.ts';
import { type ReadFile, fileOfRow, filesRead, lineOf } from '../../src/lineage/read-files.ts';
import { evaluatePredicate } from '../../src/lineage/predicate-rows.ts';
import { type TracedRow, traceBack } from '../../src/lineage/trace.ts';
import { type ForwardStart, type Holding, traceForward } from '../../src/lineage/trace-forward.ts';
import type { Store } from '../../src/store/store.ts';
import { fetchRows } from '../../src/tables/rows-at.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action, Options } from '../command-spec.ts';
import type { CliContext } from '../context.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { parseCount } from '../parse-options.ts';
import { entryName, openVersion, tableAccess } from '../snapshots.ts';
import { clip, formatCount, plural } from '../text.ts';

const rowsDefault = 10;
const positionsShownMax = 10;
const stepsShownMax = 6;
const textWidth = 100;

/** Traces rows back, or forward. */
export const trace: Action = async ({ context, operands, options }) => {
  refuseUnclear(operands, options);
  const store = await context.openStore();
  const engine = await context.openEngine(store);
  return options.flag('forward')
    ? forward(context, store, engine, operands, options)
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

/** Rows that `--row` and `--where` name, from 0. @throws HoldoutError USAGE */
export async function rowsAsked(
  engine: Engine,
  reader: Parameters<typeof fetchRows>[1],
  options: Options,
): Promise<{ readonly rows: readonly number[]; readonly more: number }> {
  const where = options.text('where');
  const limit = parseCount('--limit', options.text('limit')) ?? rowsDefault;
  const asked = options.list('row');
  if (asked.length > 0 === (where !== undefined)) {
    throw new HoldoutError('USAGE', 'give one of --row N and --where PREDICATE', { hint: 'rows count from 1' });
  }
  if (where === undefined) {
    const rows = asked.map((text) => {
      const row = parseCount('--row', text) ?? 0;
      if (row >= 1 && row <= reader.rows) return row - 1;
      throw new HoldoutError('USAGE', `--row ${text}: the table has rows 1 to ${formatCount(reader.rows)}`);
    });
    return { rows, more: 0 };
  }
  const { trueRows, trueCount } = await evaluatePredicate({ input: reader, engine }, where, 'fail');
  const rows: number[] = [];
  for (let row = 0; row < reader.rows && rows.length < limit; row++) {
    if (((trueRows[row >>> 3]! >>> (row & 7)) & 1) === 1) rows.push(row);
  }
  return { rows, more: trueCount - rows.length };
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

async function forward(
  context: CliContext,
  store: Store,
  engine: Engine,
  operands: readonly string[],
  options: Options,
): Promise<number> {
  const state = await store.journal();
  const access = tableAccess(context, store, engine);
  const start = await forwardStart(context, store, engine, operands, options);
  const holdings = await traceForward(access, state, start);
  if (context.json) {
    await writeJson({
      versions: holdings.map(({ entry, ...rest }) => ({
        version: entryName(entry),
        snapshot: entry.snapshot,
        ...rest,
      })),
    });
    return exitStatus.ok;
  }
  await writeLines(holdings.length === 0 ? ['No version holds it.'] : holdings.flatMap(holdingLines));
  return exitStatus.ok;
}

function holdingLines({ entry, same, made, through, unknown }: Holding): string[] {
  const parts = [
    ...(same.length === 0 ? [] : [`the row itself: ${positions(same)}`]),
    ...(made.length === 0 ? [] : [`made of it: ${positions(made)}`]),
    ...(unknown === null ? [] : [`perhaps more: ${unknown}`]),
  ];
  const steps = through.length === 0 ? '' : `  (by ${shortened(through.map(shortStepName)).join(', ')})`;
  return [`${entryName(entry)}  ${parts.join('; ')}${steps}`];
}

function shortened(steps: readonly string[]): readonly string[] {
  if (steps.length <= stepsShownMax) return steps;
  const half = stepsShownMax / 2;
  return [...steps.slice(0, half), `${steps.length - stepsShownMax} more`, ...steps.slice(-half)];
}

function positions(rows: readonly number[]): string {
  const shown = rows.slice(0, positionsShownMax).map((row) => formatCount(row + 1));
  const more = rows.length - shown.length;
  return `${rows.length === 1 ? 'row' : 'rows'} ${shown.join(', ')}${more === 0 ? '' : ` and ${formatCount(more)} more`}`;
}

async function forwardStart(
  context: CliContext,
  store: Store,
  engine: Engine,
  operands: readonly string[],
  options: Options,
): Promise<ForwardStart> {
  const file = options.text('file');
  if (file === undefined) {
    const entry = await versionEntry(store, operands[0] ?? '');
    const { reader } = await openVersion(context, store, engine, entry);
    return { kind: 'version', entry, rows: (await rowsAsked(engine, reader, options)).rows };
  }
  const line = parseCount('--line', options.text('line')) ?? 0;
  if (line < 1) throw new HoldoutError('USAGE', '--file needs --line N; lines count from 1');
  const sha256 = await digestOfFile(store, file);
  for (const entry of (await store.journal()).entries.toReversed()) {
    if (entry.op !== 'version') continue;
    const steps = await lineageGraph(store, await store.journal(), entry);
    for (const step of steps) {
      const files = await filesRead(store, step);
      const found = files.find(({ blob }) => blob.sha256 === sha256);
      if (found === undefined) continue;
      if (found.blob.content.kind !== 'lines') throw noLines(file, entryName(step.named ? step.entry : entry), found);
      const row = rowOfLine(files, found.firstRow, found.blob.rows, line);
      if (row === null) throw new HoldoutError('USAGE', `${file}:${line} holds no row`);
      return { kind: 'file', sha256, rows: [row] };
    }
  }
  throw new HoldoutError('NOT_FOUND', `no version was read from ${file} as it is now`, {
    hint: '`holdout log` lists versions and their files',
  });
}

/** Of an array, CSV or Parquet nothing says which row stands on which line; a guess could name another row. */
function noLines(file: string, name: string, { firstRow, blob }: ReadFile): HoldoutError {
  const rows =
    firstRow === 0 ? '' : `; its rows there are ${formatCount(firstRow + 1)} to ${formatCount(firstRow + blob.rows)}`;
  return new HoldoutError('USAGE', `${file} is not kept line by line, so --line cannot say which row is meant`, {
    hint: `name the row: holdout trace --forward ${name} --row N${rows}`,
  });
}

/** Row of a file (from 0) on a line; lines and rows rise together. */
function rowOfLine(files: Parameters<typeof lineOf>[0], first: number, rows: number, line: number): number | null {
  let [low, high] = [0, rows - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const at = lineOf(files, first + middle)?.line;
    if (at === line) return middle;
    if (at === undefined || at < line) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

/** The digest of a file that is there, or of the newest one of that path that a version was read from. */
async function digestOfFile(store: Store, file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
    return `sha256:${hash.digest('hex')}`;
  } catch (error) {
    const state = await store.journal();
    for (const entry of state.entries.toReversed()) {
      if (entry.op !== 'version') continue;
      const source = entry.sources.find(({ path }) => path === file);
      const step = source === undefined ? undefined : (await lineageGraph(store, state, entry)).at(-1);
      const found = step === undefined ? undefined : (await filesRead(store, step)).find(({ path }) => path === file);
      if (found !== undefined) return found.blob.sha256;
    }
    throw error;
  }
}
