/**
 * Rows of tables that are files from end to end, one after the other, as the engine reads them: by one reader of all files, in
 * place of a union of one for each. One thread adds them up as the rows of one file. And what sorts has a run in memory for
 * each thread; of a union, one for each file and thread, and none of them can be spilled while it fills: 13 million rows in
 * 19 files did not fit.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { type PartFile, hasRowNumberColumn } from './part-file.ts';
import { type RowFile, lineValuesSql, typedValuesSql } from './row-file.ts';
import type { Run } from './row-select.ts';
import { freeName } from './sql-types.ts';

/**
 * A SELECT of runs that are such files, in their order: the schema's columns, and the rows' position as a BIGINT column of that
 * name where one is given. Null where they are others: parts of files, columns of several, or files of other columns.
 */
export function wholeFilesSql(
  engine: Engine,
  files: readonly RowFile[],
  schema: TableSchema,
  runs: readonly Run[],
  position?: string,
): string | null {
  const parts = wholeFiles(files, runs);
  const [first] = parts ?? [];
  if (parts === null || first === undefined || schema.columns.length === 0) return null;
  const paths = parts.map(({ path }) => engine.fileSql(path)).join(', ');
  const numbered = position === undefined ? '' : ', file_row_number = true';
  const reader = `read_parquet([${paths}], hive_partitioning = false${numbered})`;
  const row = quoteIdentifier(position ?? freeName(schema, 'holdout_row'));
  const starts = runs.map((run) => run.position).join(', ');
  const number =
    position === undefined
      ? 'NULL::BIGINT'
      : `(file_row_number + ([${starts}]::BIGINT[])[file_index::BIGINT + 1])::BIGINT`;
  const values =
    first.kind === 'lines'
      ? lineValuesSql(`SELECT ${number} AS ${row}, line FROM ${reader}`, schema, row)
      : typedValuesSql(reader, first.schema, schema, `${number} AS ${row}`);
  const columns = schema.columns.map(({ name }) => quoteIdentifier(name));
  return `SELECT ${[...columns, ...(position === undefined ? [] : [row])].join(', ')} FROM (${values})`;
}

function wholeFiles(files: readonly RowFile[], runs: readonly Run[]): readonly PartFile[] | null {
  const parts: PartFile[] = [];
  for (const { file, from, rows } of runs) {
    const part = files[file]!;
    if (part.kind === 'stacked' || from !== 0 || rows !== part.rows || hasReaderColumn(part)) return null;
    if (parts[0] !== undefined && !areAlike(parts[0], part)) return null;
    parts.push(part);
  }
  // One reader reads a file once.
  return new Set(runs.map(({ file }) => file)).size === runs.length ? parts : null;
}

/** Whether a column of its own hides one of the reader's. */
function hasReaderColumn(part: PartFile): boolean {
  if (hasRowNumberColumn(part)) return true;
  return part.kind === 'typed' && part.schema.columns.some(({ name }) => name.toLowerCase() === 'file_index');
}

/** Whether one reader takes both: it has the types of its first file. */
function areAlike(a: PartFile, b: PartFile): boolean {
  return a.kind === b.kind && (a.kind === 'lines' || JSON.stringify(a.schema) === JSON.stringify(b.schema));
}
