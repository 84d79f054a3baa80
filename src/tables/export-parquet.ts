/**
 * Exports to Parquet. Order is kept without a wide sort: ranges come as they stand, scattered rows are first put in
 * order a block at a time.
 * @module
 */
import { join } from 'node:path';
import type { ColumnType } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { copyInGroups } from './copy-parquet.ts';
import { ParquetPieces } from './parquet-pieces.ts';
import { groupRowsOf } from './part-file.ts';
import { sqlType } from './sql-types.ts';
import type { TableReader } from './table-reader.ts';

/** Writes the rows in order to `path`, which lies where the engine may write. */
export async function exportParquet(
  engine: Engine,
  reader: TableReader,
  path: string,
  options: { readonly compat: boolean; readonly workDirectory: string },
): Promise<void> {
  const columns = reader.schema.columns.map(({ name, type }) => {
    const target = options.compat ? plainType(type) : type;
    return `${quoteIdentifier(name)}::${sqlType(target)} AS ${quoteIdentifier(name)}`;
  });
  const codec = options.compat ? 'snappy' : 'zstd';
  const format = `FORMAT parquet, PARQUET_VERSION v1, COMPRESSION ${codec}`;
  const pieces = new ParquetPieces();
  try {
    const ordered = reader.orderedSql();
    if (ordered === null) {
      for await (const { sql } of reader.blocks()) {
        const piece = pieces.add(join(options.workDirectory, `export-${process.pid}-${pieces.count}.parquet`));
        await engine.run(
          `COPY (${sql}) TO ${engine.outputSql(piece)} (FORMAT parquet, PARQUET_VERSION v1, COMPRESSION snappy)`,
        );
      }
    }
    const source = ordered ?? pieces.sql(engine);
    await copyInGroups(
      engine,
      `SELECT ${columns.join(', ')} FROM (${source})`,
      path,
      format,
      groupRowsOf(reader.rowBytes),
    );
  } finally {
    await pieces.remove();
  }
}

/** What readers without newer logical types take: decimals, UUIDs and nanoseconds become text. */
function plainType(type: ColumnType): ColumnType {
  if (typeof type === 'string') {
    return ['UUID', 'TIME_NS', 'TIMESTAMP_NS', 'JSON'].includes(type) ? 'VARCHAR' : type;
  }
  if ('decimal' in type) return 'VARCHAR';
  if ('list' in type) return { list: plainType(type.list) };
  if ('map' in type) return { map: { key: plainType(type.map.key), value: plainType(type.map.value) } };
  return { struct: type.struct.map(({ name, type: inner }) => ({ name, type: plainType(inner) })) };
}
