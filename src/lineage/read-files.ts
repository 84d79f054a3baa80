/**
 * The raw files of a read step, and which of their rows are which rows of its table.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { type BlobRecord, blobRecord } from '../../schemas/records.ts';
import type { Store } from '../store/store.ts';
import { lineOfRow } from '../tables/json-scan/fixups.ts';
import type { LineageStep } from './graph.ts';
import type { RowPlace } from './row-source.ts';

/** A raw file of a read step. */
export interface ReadFile {
  /** Its first row in the step's table. */
  readonly firstRow: number;
  readonly id: Sha256Id;
  readonly blob: BlobRecord;
  /** Where it was. */
  readonly path: string;
}

/** The files, in the order in which they were read. @throws HoldoutError as the store does */
export async function filesRead(
  store: Pick<Store, 'getRecord'>,
  { entry, realisation }: Pick<LineageStep, 'entry' | 'realisation'>,
): Promise<readonly ReadFile[]> {
  const files: ReadFile[] = [];
  let firstRow = 0;
  for (const [index, id] of realisation.blobs.entries()) {
    const blob: BlobRecord = await store.getRecord(id, blobRecord);
    const source = entry.sources[index]?.blob === id ? entry.sources[index] : entry.sources.find((s) => s.blob === id);
    files.push({ firstRow, id, blob, path: source?.path ?? blob.name });
    firstRow += blob.rows;
  }
  return files;
}

/** The file that a row of the table stood in, or null. */
export function fileOfRow(files: readonly ReadFile[], row: number): ReadFile | null {
  return files.findLast(({ firstRow, blob }) => firstRow <= row && row < firstRow + blob.rows) ?? null;
}

/** A row of a raw file, with what is kept of the file. */
export interface BlobPlace extends RowPlace {
  readonly blob: BlobRecord;
}

/** Where a row stood: its file, its row there, and its line where the file has known ones. */
export function placeOf(files: readonly ReadFile[], row: number): BlobPlace | null {
  const file = fileOfRow(files, row);
  if (file === null) return null;
  const own = row - file.firstRow;
  const { blob } = file;
  const line = blob.content.kind === 'lines' ? lineOfRow(blob.content.fixups, own) : null;
  return { file: file.path, line, row: own, blob };
}
