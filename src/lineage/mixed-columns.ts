/**
 * Columns that became JSON because rows which a person's code wrote hold values of several kinds, told with the first
 * two rows: the person may have meant one kind.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import { columnsByName } from '../tables/sql-types.ts';
import { type SeenKind, firstKinds } from '../tables/value-kinds.ts';
import { placeText } from './row-source.ts';
import { noRow } from './step-output.ts';
import type { StepContext } from './transform.ts';

/** New rows as they were written. */
export interface WrittenRows {
  /** Their file: JSON Lines. */
  readonly path: string;
  /** Of the output. */
  readonly schema: TableSchema;
  /** The input's row that each was made of; null where that is not known. */
  readonly madeOf: Uint32Array | null;
}

/** A sentence without its end for each column that is JSON and was not before. */
export async function jsonNotes(
  { input, sourceOf }: Pick<StepContext, 'input' | 'sourceOf'>,
  { path, schema, madeOf }: WrittenRows,
): Promise<readonly string[]> {
  const had = columnsByName(input.schema);
  const columns = schema.columns.filter(({ name, type }) => type === 'JSON' && had.get(name)?.type !== 'JSON');
  if (columns.length === 0) return [];
  const found = await firstKinds(
    path,
    columns.map(({ name }) => name),
  );
  const place = async ({ row, line }: SeenKind): Promise<string> => {
    const from = madeOf?.[row] ?? noRow;
    if (from === noRow) return `in line ${line.toLocaleString('en-US')} of its output`;
    const source = await sourceOf(from).catch(() => null);
    const where = source === null ? '' : ` (${placeText(source)})`;
    return `for row ${(from + 1).toLocaleString('en-US')}${where}`;
  };
  const notes: string[] = [];
  for (const { name } of columns) {
    const [first, second] = found.get(name) ?? [];
    const why =
      first === undefined || second === undefined
        ? 'its values have no one type'
        : `${first.kind} ${await place(first)}, ${second.kind} ${await place(second)}`;
    notes.push(`column "${name}" became JSON: ${why}`);
  }
  return notes;
}
