/**
 * Exports a table as a file for other tools: canonical values, in the order of the table. Where the format cannot hold
 * the values' kinds, the schema is written beside it (`<file>.schema.json`), and with it the file has the table's id.
 * @module
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { TableId } from '../../schemas/ids.ts';
import type { ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { canonicalJson } from '../identity/canonical-json.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { csvCellSql } from './csv-text-sql.ts';
import { exportArrow } from './export-arrow.ts';
import { exportJson } from './export-json.ts';
import { exportParquet } from './export-parquet.ts';
import { fileExists, refuseMissingFolder, writeNewFile } from './new-file.ts';
import { readTable } from './read/read-table.ts';
import type { SourceFormat } from './read/read-table-types.ts';
import type { TableReader } from './table-reader.ts';

export type ExportFormat = 'jsonl' | 'json' | 'csv' | 'parquet' | 'arrow';

/** How a table is exported. */
export interface ExportOptions {
  readonly format: ExportFormat;
  /** Version 1, snappy, no logical types that older readers lack. */
  readonly parquetCompat?: boolean;
  /** Read the file back and compare its table id with this one. */
  readonly verify?: TableId;
  /** Replace files that exist. */
  readonly force?: boolean;
  /** Folder for intermediate files, which the engine may read and write. */
  readonly workDirectory: string;
  readonly threads: number;
}

/** What was written. */
export interface ExportResult {
  readonly path: string;
  /** The schema's file, where the format needs one to hold the values' kinds. */
  readonly schemaPath: string | null;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Writes the table. Bytes are base64 text in JSON and CSV, decimals text in JSON.
 * @throws HoldoutError `NOT_FOUND` when its folder is missing, `CONFLICT` when a file exists or the format cannot hold the table at all, `STORE_CORRUPT` when the file read back has another id, `IO`
 */
export async function exportTable(
  engine: Engine,
  reader: TableReader,
  path: string,
  options: ExportOptions,
): Promise<ExportResult> {
  const target = resolve(path);
  const { format, force = false } = options;
  await refuseMissingFolder(target);
  if (!force && (await exists(target))) throw fileExists(target);
  await refuseUnfit(engine, reader, format);
  const carried = carriedSchema(reader.schema, format);
  const schemaPath = carried === null ? null : `${target}.schema.json`;
  if (schemaPath !== null) {
    await writeNewFile(schemaPath, { force }, (temporary) => writeFile(temporary, `${canonicalJson(carried)}\n`));
  }
  let bytes = 0;
  try {
    await writeNewFile(target, { force }, async (temporary) => {
      await writeRows(engine, reader, temporary, options);
      if (options.verify !== undefined) await verifyFile(temporary, target, carried, options.verify, options);
      bytes = (await stat(temporary)).size;
    });
  } catch (error) {
    if (schemaPath !== null) await rm(schemaPath, { force: true });
    throw error;
  }
  return { path: target, schemaPath, rows: reader.rows, bytes };
}

/** Tables that a format has no form for are refused before anything is written. */
async function refuseUnfit(engine: Engine, reader: TableReader, format: ExportFormat): Promise<void> {
  const { columns } = reader.schema;
  const [only] = columns;
  if (only === undefined) {
    if (format === 'jsonl' || format === 'json') return;
    throw new HoldoutError('CONFLICT', `the table has no columns, and a ${format} file holds columns only`, {
      hint: 'Export it as .jsonl: there each row is {}.',
    });
  }
  if (format !== 'csv' || columns.length > 1) return;
  const cell = csvCellSql(only.type, quoteIdentifier(only.name));
  const nulls = await engine.value<bigint>(`SELECT count(*) FROM (${reader.relationSql()}) WHERE (${cell}) IS NULL`);
  if (nulls === 0n) return;
  throw new HoldoutError(
    'CONFLICT',
    `"${only.name}" is the only column and holds ${nulls} null${nulls === 1n ? '' : 's'}: in CSV such a row is a blank line, which is no row`,
    { hint: 'Export it as .jsonl or .parquet.' },
  );
}

async function writeRows(engine: Engine, reader: TableReader, path: string, options: ExportOptions): Promise<void> {
  switch (options.format) {
    case 'jsonl':
    case 'json':
      await exportJson(reader, path, options.format);
      return;
    case 'csv':
      await writeCsv(engine, reader, path, options.workDirectory);
      return;
    case 'arrow':
      await exportArrow(engine, reader, path);
      return;
    case 'parquet': {
      // The engine writes into the work folder only; the user's folder it never sees.
      const made = join(options.workDirectory, `export-${process.pid}.parquet`);
      const compat = options.parquetCompat ?? false;
      await exportParquet(engine, reader, made, { compat, workDirectory: options.workDirectory });
      await moveInto(made, path);
    }
  }
}

async function writeCsv(engine: Engine, reader: TableReader, path: string, workDirectory: string): Promise<void> {
  const { columns } = reader.schema;
  const header = columns.map(({ name }) => csvText(name)).join(',');
  await writeFile(path, `${header}\n`, { flag: 'wx' });
  const cells = columns.map(
    ({ name, type }) => `${csvCellSql(type, quoteIdentifier(name))} AS ${quoteIdentifier(name)}`,
  );
  const piece = join(workDirectory, `export-${process.pid}.csv`);
  try {
    for await (const { sql } of reader.blocks()) {
      await engine.run(
        `COPY (SELECT ${cells.join(', ')} FROM (${sql})) TO ${engine.outputSql(piece)} (FORMAT csv, HEADER false)`,
      );
      await appendFile(path, await readFile(piece));
    }
  } finally {
    await rm(piece, { force: true });
  }
}

function csvText(text: string): string {
  // At the start of a file U+FEFF would be taken for a byte order mark.
  return /[",\r\n]|^\ufeff/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text;
}

async function moveInto(from: string, to: string): Promise<void> {
  try {
    await pipeline(createReadStream(from), createWriteStream(to, { flags: 'wx' }));
  } finally {
    await rm(from, { force: true });
  }
}

async function verifyFile(
  path: string,
  target: string,
  schema: TableSchema | null,
  expected: TableId,
  options: ExportOptions,
): Promise<void> {
  const format: SourceFormat = options.format === 'arrow' ? 'arrow-file' : options.format;
  const { workDirectory, threads } = options;
  const read = { workDirectory, threads, schema: schema ?? undefined, format };
  const back = await readTable([path], read).catch((cause: unknown) => {
    throw cause instanceof HoldoutError ? readBackError(cause, path, target) : cause;
  });
  try {
    if (back.table === expected) return;
  } finally {
    await back.dispose();
  }
  throw new HoldoutError('STORE_CORRUPT', `the exported file reads back as ${back.table} instead of ${expected}`, {
    hint: mismatchHint(options),
  });
}

function mismatchHint({ format, parquetCompat = false }: ExportOptions): string {
  if (format === 'parquet' && parquetCompat) {
    return 'Nothing was left behind. --parquet-compat turns some types into text: leave it out.';
  }
  const other = format === 'jsonl' || format === 'json' ? '.parquet' : '.jsonl';
  return `Nothing was left behind. Values of this table do not survive ${format}: export it as ${other}.`;
}

/** What the reader says of the file under the name that the person gave. */
function readBackError(cause: HoldoutError, path: string, target: string): HoldoutError {
  const named = cause.message.replaceAll(path, target).replaceAll(basename(path), basename(target));
  return new HoldoutError(cause.code, `the exported file cannot be read back: ${named}`, {
    ...cause.place,
    file: target,
    hint: cause.hint ?? 'Nothing was left behind; another format may hold these values.',
    cause,
  });
}

/** The schema that has to go with the file; null where the format tells all kinds of these values apart by itself. */
function carriedSchema(schema: TableSchema, format: ExportFormat): TableSchema | null {
  if (format === 'parquet' || format === 'arrow') return null;
  if (format === 'jsonl' || format === 'json')
    return schema.columns.every(({ type }) => isJsonKind(type)) ? null : schema;
  // Cells are text where nothing else is said, and a column of nulls is a column of empty cells.
  const columns = schema.columns.map(({ name, type }) => ({
    name,
    type: type === 'NULL' ? ('VARCHAR' as const) : type,
  }));
  return columns.every(({ type }) => type === 'VARCHAR') ? null : { ...schema, columns };
}

function isJsonKind(type: ColumnType): boolean {
  if (typeof type === 'string') return !otherKinds.has(type);
  if ('decimal' in type) return type.decimal[1] === 0;
  if ('list' in type) return isJsonKind(type.list);
  if ('map' in type) return type.map.key === 'VARCHAR' && isJsonKind(type.map.value);
  return type.struct.every((field) => isJsonKind(field.type));
}

const otherKinds: ReadonlySet<string> = new Set('BLOB DATE TIME TIME_NS TIMESTAMP TIMESTAMP_NS TIMESTAMPTZ'.split(' '));

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
