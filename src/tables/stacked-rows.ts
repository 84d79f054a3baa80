/**
 * Rows put together from columns of several files that lie row by row beside each other. POSITIONAL JOIN of bare readers
 * streams: it needs no memory for either side, keeps the order, and reads only the columns that are asked for. A row
 * range goes into each reader, which skips the row groups outside it.
 * @module
 */
import type { Column, ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier, quoteString } from '../identity/sql-text.ts';
import { betweenSql, hasRowNumberColumn, parquetSql } from './part-file.ts';
import type { FileColumns, RowsBetween, StackedFile } from './part-file.ts';
import { canonicalValueSql, columnsByName, lineStructureSql, sqlType } from './sql-types.ts';

/** As `fileRowsSql` has it, for a stack. */
export function stackedRowsSql(
  engine: Engine,
  file: StackedFile,
  schema: TableSchema,
  rowName: string,
  between: RowsBetween | undefined,
): string {
  const { sources } = file;
  // A file with a column of the reader's own name has no row numbers to bound; then all of its rows are counted.
  const numbered = sources.findIndex((source) => !hasRowNumberColumn(source.file));
  const bounded = between !== undefined && sources.every((source) => !hasRowNumberColumn(source.file));
  const readers = sources.map((source, index) => {
    const where = bounded ? ` WHERE ${betweenSql('file_row_number', between)}` : '';
    return `(SELECT * FROM ${parquetSql(engine, source.file)}${where}) AS s${index}`;
  });
  const number =
    sources.length === 0 ? 'number' : numbered < 0 ? '(row_number() OVER () - 1)' : `s${numbered}.file_row_number`;
  const from = sources.length === 0 ? `range(${file.rows}) AS s(number)` : readers.join(' POSITIONAL JOIN ');
  const row = quoteIdentifier(rowName);
  const inner = [`${number} AS ${row}`];
  const values = new Map<string, string>();
  const types = new Map(schema.columns.map(({ name, type }) => [name, type]));
  for (const [index, source] of sources.entries()) {
    const wanted = wantedOf(source, types);
    const given = source.file.kind === 'lines' ? lineValues(wanted, index) : typedValues(source, wanted, index);
    inner.push(...given.inner);
    for (const [name, sql] of given.values) values.set(name, sql);
  }
  const columns = schema.columns.map(({ name, type }) => {
    return `${values.get(name) ?? `NULL::${sqlType(type)}`} AS ${quoteIdentifier(name)}`;
  });
  const sql = `SELECT ${[row, ...columns].join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${from})`;
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
