/**
 * Rows put together from columns of several files that lie row by row beside each other. POSITIONAL JOIN of bare readers
 * streams: it needs no memory for either side, keeps the order, and reads only the columns that are asked for. A row
 * range goes into each reader, which skips the row groups outside it. One join is the work of one thread, so many rows whose
 * order does not matter are read as a union of joins, each over a stretch of them.
 * @module
 */
import type { Column, ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier, quoteString } from '../identity/sql-text.ts';
import { betweenSql, hasRowNumberColumn, parquetSql, rowsPerGroup } from './part-file.ts';
import type { FileColumns, PartFile, RowsBetween, StackedFile } from './part-file.ts';
import { canonicalValueSql, columnsByName, lineStructureSql, sqlType } from './sql-types.ts';

/** Whether rows must come in the order of the file. Not even a union keeps it for every statement above. */
export type RowOrder = 'kept' | 'any';

interface StackedRows {
  readonly rowName: string;
  readonly between: RowsBetween | undefined;
  readonly order: RowOrder;
}

/** As `fileRowsSql` has it, for a stack. */
export function stackedRowsSql(
  engine: Engine,
  file: StackedFile,
  schema: TableSchema,
  { rowName, between, order }: StackedRows,
): string {
  const joined = joinedOf(file, schema);
  const longRows = joined.length === 0 ? null : longStretchRows(joined);
  if (joined.length === 0 || (longRows === null && (order === 'kept' || schema.columns.length > splitColumnsMax))) {
    return stretchSql(engine, file, schema, rowName, between);
  }
  const all = between ?? { first: 0, last: file.rows - 1 };
  return (longRows === null ? stretchesOf(all) : stretchesOfLongRows(all, longRows))
    .map((stretch, _, { length }) => stretchSql(engine, file, schema, rowName, length === 1 ? between : stretch))
    .join(' UNION ALL ');
}

/**
 * So many rows at most are one stretch, where the rows are so long that they are read as a union of stretches whatever their
 * order: what adds up a union does so by its sides, in no order. Null for other files.
 */
export function stretchRowsOf(file: PartFile | StackedFile, schema: TableSchema): number | null {
  if (file.kind !== 'stacked') return null;
  const joined = joinedOf(file, schema);
  return joined.length === 0 ? null : longStretchRows(joined);
}

/** The files that are joined for the columns of the schema; none where one is enough, or cannot be read by row numbers. */
function joinedOf(file: StackedFile, schema: TableSchema): readonly FileColumns[] {
  const types = new Map(schema.columns.map(({ name, type }) => [name, type]));
  const joined = file.sources.filter((source) => wantedOf(source, types).length > 0);
  return joined.length < 2 || joined.some((source) => hasRowNumberColumn(source.file)) ? [] : joined;
}

/**
 * A positional join puts rows together until it has 2048 of them, whatever they weigh. So where that is more than the
 * engine should hold, it gets fewer to join.
 */
const joinedRows = 2048;
const longStretchBytesMax = 16 << 20;

/** Rows of such a stretch; null where 2048 rows are no more. */
function longStretchRows(joined: readonly FileColumns[]): number | null {
  const rowBytes = joined.reduce((sum, { file }) => sum + file.logicalBytes / Math.max(1, file.rows), 0);
  const rows = Math.max(1, Math.floor(longStretchBytesMax / rowBytes));
  return rows < joinedRows ? rows : null;
}

function stretchesOfLongRows({ first, last }: RowsBetween, rows: number): RowsBetween[] {
  return Array.from({ length: Math.ceil((last + 1 - first) / rows) }, (_, index) => {
    const from = first + index * rows;
    return { first: from, last: Math.min(last, from + rows - 1) };
  });
}

/** Stretches that are read by a thread each; fewer rows in one are not worth a thread. */
const stretchesMax = 4;
const stretchRowsMin = 1 << 16;
/** Each stretch says all columns again. */
const splitColumnsMax = 200;

/** A stretch ends where row groups of our own parts end: one that two stretches need is unpacked twice. */
function stretchesOf({ first, last }: RowsBetween): RowsBetween[] {
  const count = Math.min(stretchesMax, Math.floor((last + 1 - first) / stretchRowsMin));
  if (count < 2) return [{ first, last }];
  const length = Math.ceil((last + 1 - first) / count / rowsPerGroup) * rowsPerGroup;
  const stretches: RowsBetween[] = [];
  for (let from = first; from <= last;) {
    const end = Math.min(last + 1, Math.floor((from + length) / rowsPerGroup) * rowsPerGroup);
    stretches.push({ first: from, last: end - 1 });
    from = end;
  }
  return stretches;
}

function stretchSql(
  engine: Engine,
  file: StackedFile,
  schema: TableSchema,
  rowName: string,
  between: RowsBetween | undefined,
): string {
  const types = new Map(schema.columns.map(({ name, type }) => [name, type]));
  const sources = file.sources
    .map((source) => ({ ...source, wanted: wantedOf(source, types) }))
    .filter(({ wanted }) => wanted.length > 0);
  // A file with a column of the reader's own name has no row numbers to bound; then all of its rows are counted.
  const numbered = sources.flatMap((source, index) => (hasRowNumberColumn(source.file) ? [] : [`s${index}`]));
  const bounded = between !== undefined && sources.length > 0 && numbered.length === sources.length;
  const readers = sources.map((source, index) => {
    // The number stands first: behind other columns it costs a projection, over which the join would no longer stream.
    const number = hasRowNumberColumn(source.file) ? [] : ['file_row_number'];
    const stored = source.file.kind === 'lines' ? ['line'] : storedNames(source).map((name) => quoteIdentifier(name));
    const where = bounded ? ` WHERE ${betweenSql('file_row_number', between)}` : '';
    const columns = [...number, ...stored].join(', ') || '*';
    return `(SELECT ${columns} FROM ${parquetSql(engine, source.file)}${where}) AS s${index}`;
  });
  const number =
    sources.length === 0
      ? 'number'
      : numbered[0] === undefined
        ? '(row_number() OVER () - 1)'
        : `${numbered[0]}.file_row_number`;
  const from = sources.length === 0 ? `range(${file.rows}) AS s(number)` : readers.join(' POSITIONAL JOIN ');
  // Always true. It keeps both sides of the join in use, for one that is not would be read as a whole.
  const aligned = numbered.slice(1).map((name) => `${numbered[0]}.file_row_number = ${name}.file_row_number`);
  const where = aligned.length === 0 ? '' : ` WHERE ${aligned.join(' AND ')}`;
  const row = quoteIdentifier(rowName);
  const inner = [`${number} AS ${row}`];
  const values = new Map<string, string>();
  for (const [index, source] of sources.entries()) {
    const { wanted } = source;
    const given = source.file.kind === 'lines' ? lineValues(wanted, index) : typedValues(source, wanted, index);
    inner.push(...given.inner);
    for (const [name, sql] of given.values) values.set(name, sql);
  }
  const columns = schema.columns.map(({ name, type }) => {
    return `${values.get(name) ?? `NULL::${sqlType(type)}`} AS ${quoteIdentifier(name)}`;
  });
  const sql = `SELECT ${[row, ...columns].join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${from}${where})`;
  return between === undefined || bounded ? sql : `SELECT * FROM (${sql}) WHERE ${betweenSql(row, between)}`;
}

interface Wanted {
  readonly name: string;
  readonly stored: string;
  readonly type: ColumnType;
}

/** Columns of the source that the schema has. */
function wantedOf({ columns }: FileColumns, types: ReadonlyMap<string, ColumnType>): Wanted[] {
  return columns.flatMap(([name, stored]) => {
    const type = types.get(name);
    return type === undefined ? [] : [{ name, stored, type }];
  });
}

/** Columns that a typed source has of what is wanted of it, each once. */
function storedNames({ file, wanted }: FileColumns & { readonly wanted: readonly Wanted[] }): string[] {
  const has = columnsByName(file.schema);
  const names = wanted.map(({ stored }) => stored);
  return [...new Set(names)].filter((name) => (has.get(name)?.type ?? 'NULL') !== 'NULL');
}

/** Columns to be selected beside the join, under names of their own, and the values made of them. */
interface Given {
  readonly inner: readonly string[];
  readonly values: ReadonlyMap<string, string>;
}

/** Lines are parsed once, or more often where a member is wanted twice: each time it may have another type. */
function lineValues(wanted: readonly Wanted[], source: number): Given {
  const parses: Map<string, Wanted>[] = [];
  const values = new Map<string, string>();
  for (const each of wanted) {
    let at = parses.findIndex((parse) => !parse.has(each.stored));
    if (at < 0) at = parses.push(new Map()) - 1;
    parses[at]!.set(each.stored, each);
    const member = `struct_extract(s${source}_p${at}, ${quoteString(each.stored)})`;
    values.set(each.name, canonicalValueSql(each.type, member, 'line'));
  }
  const inner = parses.map((parse, at) => {
    const columns = [...parse.values()].map(({ stored, type }): Column => ({ name: stored, type }));
    return `from_json(s${source}.line, ${lineStructureSql({ type: 'holdout/schema@1', columns })}) AS s${source}_p${at}`;
  });
  return { inner, values };
}

function typedValues({ file }: FileColumns, wanted: readonly Wanted[], source: number): Given {
  const stored = columnsByName(file.schema);
  const inner: string[] = [];
  const values = new Map<string, string>();
  for (const [at, each] of wanted.entries()) {
    const found = stored.get(each.stored);
    if (found === undefined || found.type === 'NULL') continue;
    const name = `s${source}_c${at}`;
    inner.push(`s${source}.${quoteIdentifier(each.stored)} AS ${name}`);
    values.set(each.name, canonicalValueSql(each.type, name, 'typed'));
  }
  return { inner, values };
}
