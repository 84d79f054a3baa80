/**
 * Where in the files that are read values stand that are of another kind than those before them, or than the column.
 * They are looked up only where the scan has seen several kinds.
 * @module
 */
import type { TableSchema } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { type InferredSchema, KIND } from '../json-scan/inferred.ts';
import { widen } from '../json-scan/widen.ts';
import { type SeenKind, type ValueKind, firstKinds, kindOfType } from '../value-kinds.ts';

/** A file of lines, scanned. */
export interface ScannedFile {
  readonly label: string;
  readonly path: string;
  readonly inferred: InferredSchema;
  lineOf(row: number): number | null;
}

interface Place {
  readonly file: string;
  readonly line: number | null;
  readonly row: number;
}

/** A sentence without its end for each column of the table that is JSON because its values are of several kinds. */
export async function mixedNotes(files: readonly ScannedFile[], { columns }: TableSchema): Promise<readonly string[]> {
  const names = columns
    .filter(({ name, type }) => type === 'JSON' && kindCount(seenAt(files, name)) > 1)
    .map(({ name }) => name);
  const notes: string[] = [];
  const placed = await kindsOf(files, names);
  for (const name of names) {
    const [first, second] = placed.get(name) ?? [];
    if (first === undefined || second === undefined) continue;
    notes.push(
      `column "${name}" is JSON: ${first.kind} in ${placeText(first.place)}, ${second.kind} in ${placeText(second.place)}`,
    );
  }
  return notes;
}

/** The same error, with the first value of the column that does not fit it; the error itself where that is not known. */
export async function withOddValue(
  error: unknown,
  files: readonly ScannedFile[],
  previous: TableSchema | undefined,
): Promise<unknown> {
  if (!(error instanceof HoldoutError) || error.code !== 'CONFLICT' || error.place.file !== undefined) return error;
  const column = previous?.columns.find(({ name, type }) => {
    const columns = files.flatMap(({ inferred }) => inferred.columns.filter((each) => each.name === name));
    return columns.some((seen) => !fits({ type: 'holdout/schema@1', columns: [{ name, type }] }, { columns: [seen] }));
  });
  const wanted = column === undefined ? null : kindOfType(column.type);
  if (column === undefined || wanted === null) return error;
  const kinds = (await kindsOf(files, [column.name])).get(column.name) ?? [];
  const odd = kinds.find(({ kind }) => kind !== wanted)?.place;
  if (odd === undefined) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  const says =
    odd.line === null ? `${error.message}, first in row ${(odd.row + 1).toLocaleString('en-US')}` : error.message;
  const line = odd.line === null ? {} : { line: odd.line };
  return new HoldoutError(error.code, says, { file: odd.file, ...line, ...hint, cause: error });
}

/** Whether a column takes what was seen. */
function fits(schema: TableSchema, seen: InferredSchema): boolean {
  try {
    widen(schema, seen);
    return true;
  } catch (error) {
    if (error instanceof HoldoutError) return false;
    throw error;
  }
}

/** The first value of each column, and the first of another kind, over all files. */
async function kindsOf(
  files: readonly ScannedFile[],
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly { readonly kind: ValueKind; readonly place: Place }[]>> {
  const found = new Map<string, { readonly kind: ValueKind; readonly place: Place }[]>();
  for (const file of files) {
    const open = names.filter((name) => (found.get(name) ?? []).length < 2);
    if (open.length === 0) break;
    for (const [name, kinds] of await firstKinds(file.path, open)) {
      const before = found.get(name) ?? [];
      const more = kinds.filter(({ kind }) => kind !== before[0]?.kind).map((seen) => placed(file, seen));
      found.set(name, [...before, ...more].slice(0, 2));
    }
  }
  return found;
}

function placed(file: ScannedFile, { kind, row }: SeenKind): { readonly kind: ValueKind; readonly place: Place } {
  const line = file.lineOf(row);
  // All rows of a list can stand on one line, which then says nothing.
  const isShared = row > 0 && line === file.lineOf(row - 1);
  return { kind, place: { file: file.label, line: isShared ? null : line, row } };
}

function placeText({ file, line, row }: Place): string {
  return line === null ? `${file}, row ${(row + 1).toLocaleString('en-US')}` : `${file}:${line}`;
}

function seenAt(files: readonly ScannedFile[], name: string): number {
  return files
    .flatMap(({ inferred }) => inferred.columns.filter((column) => column.name === name))
    .reduce((kinds, { seen }) => kinds | seen.kinds, 0);
}

/** Whole numbers and fractions are of one kind; nulls of none. */
function kindCount(kinds: number): number {
  const groups = [KIND.boolean, KIND.integer | KIND.float, KIND.string, KIND.list, KIND.object];
  return groups.filter((group) => (kinds & group) !== 0).length;
}
