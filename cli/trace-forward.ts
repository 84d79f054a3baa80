/**
 * `holdout trace --forward`: from rows of a version or of a raw file on to every version that holds them, or something
 * made of them.
 * @module
 */
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import { shortStepName } from '../src/lineage/find-step.ts';
import { lineageGraph } from '../src/lineage/graph.ts';
import { documentRowsOn, isDocument } from '../src/lineage/document-rows.ts';
import { type ReadFile, filesRead, placeOf } from '../src/lineage/read-files.ts';
import { type ForwardStart, type Holding, traceForward } from '../src/lineage/trace-forward.ts';
import { fileDigest } from '../src/store/file-digest.ts';
import type { Store } from '../src/store/store.ts';
import type { Options } from './command-spec.ts';
import type { CliContext } from './context.ts';
import { exitStatus } from './exit-codes.ts';
import { versionEntry } from './inputs.ts';
import { writeJson, writeLines } from './output.ts';
import { parseCount } from './parse-options.ts';
import { rowsAsked } from './rows-asked.ts';
import { entryName, openVersion, tableAccess } from './snapshots.ts';
import { formatCount } from './text.ts';

const positionsShownMax = 10;
const stepsShownMax = 6;

/** Traces rows on, prints who holds them, and returns the exit status. @throws HoldoutError USAGE, NOT_FOUND */
export async function traceRowsForward(
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
      versions: holdings
        .filter(({ gone }) => gone === null)
        .map(({ entry, same, made, through, unknown }) => ({
          version: entryName(entry),
          snapshot: entry.snapshot,
          same,
          made,
          through,
          unknown,
        })),
      gone: holdings.flatMap(({ entry, gone }) =>
        gone === null ? [] : [{ version: entryName(entry), by: gone.by, from: entryName(gone.from), row: gone.row }],
      ),
    });
    return exitStatus.ok;
  }
  await writeLines(holdings.length === 0 ? ['No version holds it.'] : holdings.flatMap(holdingLines));
  return exitStatus.ok;
}

function holdingLines({ entry, same, made, through, unknown, gone }: Holding): string[] {
  if (gone !== null) {
    const why = `holdout why ${entryName(entry)} --from ${entryName(gone.from)} --row ${gone.row + 1}`;
    return [`${entryName(entry)}  none: dropped by ${shortStepName(gone.by)}  (${why})`];
  }
  const parts = [
    ...(same.length === 0 ? [] : [`the row itself: ${positions(same)}`]),
    ...(made.length === 0 ? [] : [`made of it: ${positions(made)}`]),
    ...(unknown === null ? [] : [`perhaps more: ${unknown}`]),
  ];
  const steps = through.length === 0 ? '' : `  (by ${shortened(through.map(shortStepName)).join(', ')})`;
  return [`${entryName(entry)}  ${parts.join('; ')}${steps}`];
}

function shortened(steps: readonly string[]): readonly string[] {
  // In the place of one left out its name may as well stand.
  if (steps.length <= stepsShownMax + 1) return steps;
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
      const name = entryName(step.named ? step.entry : entry);
      const row = isDocument(found.blob)
        ? await rowOfDocument({ store, engine }, { file, name, found, line })
        : found.blob.content.kind === 'lines'
          ? rowOfLine(files, found.firstRow, found.blob.rows, line)
          : refuseLines(file, name, found, notByLine);
      if (row === null) throw new HoldoutError('USAGE', `${file}:${line} holds no row`);
      return { kind: 'file', sha256, rows: [row] };
    }
  }
  throw new HoldoutError('NOT_FOUND', `no version was read from ${file} as it is now`, {
    hint: '`holdout log` lists versions and their files',
  });
}

const notByLine = 'is not kept line by line, so --line cannot say which row is meant';

/** Of CSV or Parquet nothing says which row stands on which line; a guess could name another row. */
function refuseLines(file: string, name: string, { firstRow, blob }: ReadFile, why: string): never {
  const rows =
    firstRow === 0 ? '' : `; its rows there are ${formatCount(firstRow + 1)} to ${formatCount(firstRow + blob.rows)}`;
  throw new HoldoutError('USAGE', `${file} ${why}`, {
    hint: `name the row: holdout trace --forward ${name} --row N${rows}`,
  });
}

interface DocumentLine {
  readonly file: string;
  /** The version that was read from it. */
  readonly name: string;
  readonly found: ReadFile;
  readonly line: number;
}

/** Row of a JSON document (from 0) that has a part on a line; null for none. @throws HoldoutError USAGE for several */
async function rowOfDocument(
  access: Parameters<typeof documentRowsOn>[0],
  { file, name, found, line }: DocumentLine,
): Promise<number | null> {
  const rows = await documentRowsOn(access, found, line);
  if (rows === null) refuseLines(file, name, found, notByLine);
  const [row, other] = rows;
  if (other !== undefined) refuseLines(file, name, found, `has several rows on line ${line}`);
  return row?.row ?? null;
}

/** Row of a file (from 0) on a line; lines and rows rise together. */
function rowOfLine(files: Parameters<typeof placeOf>[0], first: number, rows: number, line: number): number | null {
  let [low, high] = [0, rows - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const at = placeOf(files, first + middle)?.line;
    if (at === line) return middle;
    if (at === undefined || at === null || at < line) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

/** The digest of a file that is there, or of the newest one of that path that a version was read from. */
async function digestOfFile(store: Store, file: string): Promise<string> {
  try {
    return await fileDigest(file);
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
