/**
 * Where traced rows stood in raw files: line, bytes and text, as far as they are known.
 * @module
 */
import type { Engine } from '../src/engine/engine.ts';
import { documentRows, isDocument } from '../src/lineage/document-rows.ts';
import type { LineageStep } from '../src/lineage/graph.ts';
import { type RawLine, rawLines } from '../src/lineage/raw-lines.ts';
import { type ReadFile, fileOfRow, filesRead, placeOf } from '../src/lineage/read-files.ts';
import type { TracedRow } from '../src/lineage/trace.ts';
import type { Store } from '../src/store/store.ts';

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

/** Every way that parts no further. */
function waysOf(traced: readonly TracedRow[]): TracedRow[] {
  return traced.flatMap((each) => (each.madeOf === null ? [each] : waysOf(each.madeOf.rows)));
}
