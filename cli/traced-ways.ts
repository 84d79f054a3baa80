/**
 * What `holdout trace` says of the ways of rows back to their raw files.
 * @module
 */
import type { Engine } from '../src/engine/engine.ts';
import { stepFacts } from '../src/lineage/describe-step.ts';
import type { LineageStep } from '../src/lineage/graph.ts';
import { documentRows, isDocument } from '../src/lineage/document-rows.ts';
import { type RawLine, rawLines } from '../src/lineage/raw-lines.ts';
import { type ReadFile, fileOfRow, filesRead, placeOf } from '../src/lineage/read-files.ts';
import type { TracedHop, TracedRow } from '../src/lineage/trace.ts';
import type { Store } from '../src/store/store.ts';
import { builtInTransforms } from '../transforms/index.ts';
import { clip, formatCount, plural } from './text.ts';

const textWidth = 100;

/** What ways back are told with. */
export interface TracedLineage {
  readonly steps: readonly LineageStep[];
  /** Of each way that ends in a raw file. */
  readonly places: ReadonlyMap<TracedRow, RawPlace>;
}

/** A way as `--json` says it. */
export function wayJson(lineage: TracedLineage, way: TracedRow): Record<string, unknown> {
  const { hops, stops, madeOf } = way;
  return {
    steps: hops.map((hop) => hopJson(lineage.steps, hop)),
    stops,
    source: lineage.places.get(way) ?? null,
    madeOf:
      madeOf === null
        ? null
        : { rows: madeOf.rows.map((each) => ({ row: each.row, ...wayJson(lineage, each) })), more: madeOf.more },
  };
}

/** Lines that say where a way ends: in a raw file, in many rows, or before. */
export function endLines(lineage: TracedLineage, way: TracedRow): string[] {
  if (way.stops !== null) return [`  the trace ends here: ${way.stops}`];
  if (way.madeOf === null) return placeLines(lineage.places.get(way) ?? null);
  const { rows, more } = way.madeOf;
  const count = rows.length + more;
  const first = more === 0 ? '' : rows.length === 1 ? ', the first' : `, the first ${formatCount(rows.length)}`;
  return [
    `  made of ${plural(count, 'row')}${first}:`,
    ...rows.flatMap((each) => [
      `    ${each.hops.map((hop) => hopText(lineage.steps, hop)).join(' ← ')}`,
      ...endLines(lineage, each).map((line) => `    ${line}`),
    ]),
    ...(more === 0 ? [] : [`    ${plural(more, 'row')} more; --limit shows more`]),
  ];
}

function hopText(steps: readonly LineageStep[], { step, row }: TracedHop): string {
  const { version } = stepFacts(builtInTransforms, steps, steps[step]!);
  return `row ${formatCount(row + 1)} of ${version ?? `step ${step + 1}`}`;
}

/** Every way that parts no further. */
function waysOf(traced: readonly TracedRow[]): TracedRow[] {
  return traced.flatMap((each) => (each.madeOf === null ? [each] : waysOf(each.madeOf.rows)));
}

function hopJson(
  steps: readonly LineageStep[],
  { step, row }: { readonly step: number; readonly row: number },
): Record<string, unknown> {
  const { transform, says, version } = stepFacts(builtInTransforms, steps, steps[step]!);
  return { step: step + 1, transform, says, version, row };
}

/** Where a row stood in a raw file. */
export interface RawPlace {
  readonly file: string;
  readonly sha256: string;
  /** Row of the file, from 0. */
  readonly row: number;
  readonly line: number | null;
  readonly offset: number | null;
  readonly bytes: number | null;
  readonly text: string | null;
}

/** Where the ways stood in raw files. @throws HoldoutError as the store does */
export async function rawPlaces(
  store: Store,
  engine: Engine,
  steps: readonly LineageStep[],
  traced: readonly TracedRow[],
): Promise<ReadonlyMap<TracedRow, RawPlace>> {
  const places = new Map<TracedRow, RawPlace>();
  const ways = waysOf(traced);
  for (const step of steps) {
    const here = ways.flatMap((way) => {
      const { step: index, row } = way.hops.at(-1)!;
      return way.stops === null && index === step.index ? [{ way, row }] : [];
    });
    if (here.length === 0) continue;
    const files = await filesRead(store, step);
    for (const file of files) {
      const rows = here.filter(({ row }) => fileOfRow(files, row) === file);
      const raw = isDocument(file.blob)
        ? await documentPlaces({ store, engine }, file, rows)
        : await linePlaces({ store, engine }, files, file, rows);
      for (const [at, { way, row }] of rows.entries()) {
        places.set(way, { file: file.path, sha256: file.blob.sha256, row: row - file.firstRow, ...raw[at]! });
      }
    }
  }
  return places;
}

type LineFound = Pick<RawPlace, 'line' | 'offset' | 'bytes' | 'text'>;
type Asked = readonly { readonly row: number }[];
type RawAccess = Parameters<typeof rawLines>[0];

async function documentPlaces(access: RawAccess, file: ReadFile, rows: Asked): Promise<LineFound[]> {
  const numbers = rows.map(({ row }) => row - file.firstRow);
  const found = await documentRows(access, file, numbers);
  return numbers.map((number) => lineFound(null, found?.get(number)));
}

function lineFound(line: number | null, raw: RawLine | undefined): LineFound {
  return { line: raw?.line ?? line, offset: raw?.offset ?? null, bytes: raw?.bytes ?? null, text: raw?.text ?? null };
}

/** Of a file without lines nothing. */
async function linePlaces(
  access: RawAccess,
  files: readonly ReadFile[],
  { blob }: ReadFile,
  rows: Asked,
): Promise<LineFound[]> {
  const lineOfEach = rows.map(({ row }) => placeOf(files, row)?.line ?? null);
  const lines = await rawLines(
    access,
    blob,
    lineOfEach.filter((line) => line !== null),
  );
  return lineOfEach.map((line) => lineFound(line, line === null ? undefined : lines.get(line)));
}

function placeLines(place: RawPlace | null): string[] {
  if (place === null) return ['  the store does not say which raw file it was'];
  if (place.line === null) {
    return [`  ${place.file}, row ${formatCount(place.row + 1)}; where its bytes begin is not known`];
  }
  const where = `  ${place.file}:${place.line}, ${plural(place.bytes ?? 0, 'byte')} from byte ${formatCount(place.offset ?? 0)}`;
  // A row of a document may be spread over lines.
  const text = (place.text ?? '').replaceAll(/\s*\n\s*/g, ' ');
  return [where, `  ${clip(text, textWidth)}`];
}
