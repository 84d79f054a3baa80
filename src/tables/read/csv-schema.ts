/**
 * The types of CSV columns: declared, kept from the last version, proposed over all files of the dataset, or text.
 * @module
 */
import type { Column, ColumnType, TableSchema } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { foldAscii } from '../json-scan/schema.ts';
import { countCsvCells, readCsvHeader } from './csv-to-lines.ts';
import { proposedType } from './csv-cells.ts';
import type { CellKinds } from './csv-cells.ts';
import { csvFile } from './open-source.ts';
import type { UnpackedFile } from './open-source.ts';
import type { ReadOptions } from './read-table-types.ts';

/**
 * One schema for all CSV files among the inputs, its columns in the order of first sight; null when there is none.
 * @throws HoldoutError `CONFLICT` when a header names a column that the declared schema has not.
 */
export async function csvColumns(files: readonly UnpackedFile[], options: ReadOptions): Promise<TableSchema | null> {
  const csv = files.filter(({ format }) => format === 'csv' || format === 'tsv').map((file) => csvFile(file, () => {}));
  if (csv.length === 0) return null;
  const known = new Map((options.schema ?? options.previousSchema)?.columns.map(({ name, type }) => [name, type]));
  const names = new Set<string>();
  for (const file of csv) {
    for (const name of await readCsvHeader(file)) {
      names.add(name);
      if (options.schema !== undefined && !known.has(name)) throw undeclared(name, file.name);
    }
  }
  refuseTwins(names);
  const cells = new Map<string, CellKinds>();
  const unknown = [...names].some((name) => !known.has(name));
  if (options.infer === true && unknown) for (const file of csv) await countCsvCells(file, cells);
  const typeOf = (name: string): ColumnType => {
    const declared = known.get(name);
    if (declared !== undefined && declared !== 'NULL') return declared;
    const kinds = cells.get(name);
    return kinds === undefined ? 'VARCHAR' : proposedType(kinds);
  };
  return { type: 'holdout/schema@1', columns: [...names].map((name): Column => ({ name, type: typeOf(name) })) };
}

function undeclared(name: string, file: string): HoldoutError {
  return new HoldoutError('CONFLICT', `the header names column "${name}", which the schema does not declare`, {
    file,
    line: 1,
    hint: 'Add it to the schema.',
  });
}

/** Headers that differ only in case, one file from another, would become two columns of one name. */
function refuseTwins(names: ReadonlySet<string>): void {
  const folds = new Map<string, string>();
  for (const name of names) {
    const twin = folds.get(foldAscii(name));
    if (twin !== undefined) {
      throw new HoldoutError(
        'INPUT_INVALID',
        `the headers of the files name "${twin}" and "${name}", alike but for case`,
        {
          hint: 'Rename one of the two.',
        },
      );
    }
    folds.set(foldAscii(name), name);
  }
}
