/**
 * Writes a relation as a Parquet file in our types, and the digests of its rows.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { TableSchema } from '../../../schemas/table-schema.ts';
import type { Engine } from '../../engine/engine.ts';
import { HoldoutError } from '../../errors.ts';
import { rowDigestSql, valuePreimageSql } from '../../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../../identity/sql-text.ts';
import { copyInGroups } from '../copy-parquet.ts';
import { digestColumnFormat } from '../part-file.ts';
import { castValueSql } from '../types/cast-value.ts';
import { parseEngineType } from '../types/engine-type.ts';
import { checkNames } from '../types/column-names.ts';
import { storedType, typeName } from '../types/stored-type.ts';
import { sameType } from '../types/widen-schema.ts';
import { sqlType } from '../sql-types.ts';

/** A FROM clause over a Parquet file. */
export function parquetSql(engine: Engine, path: string): string {
  return `read_parquet(${engine.fileSql(path)}, hive_partitioning = false)`;
}

/**
 * The schema under which a relation's columns are stored.
 * @throws HoldoutError `INPUT_INVALID` for names or types that are refused.
 */
export async function relationSchema(engine: Engine, from: string, file: string): Promise<TableSchema> {
  const described = await engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE SELECT * FROM ${from}`);
  const problem = checkNames(described.map((column) => column.column_name));
  if (problem !== null) throw new HoldoutError('INPUT_INVALID', problem, { file });
  try {
    return {
      type: 'holdout/schema@1',
      columns: described.map((column) => ({
        name: column.column_name,
        type: storedType(parseEngineType(column.column_type), column.column_name),
      })),
    };
  } catch (cause) {
    if (!(cause instanceof HoldoutError)) throw cause;
    throw new HoldoutError(cause.code, cause.message, {
      file,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    });
  }
}

/**
 * Copies a relation into a typed body under the table's schema. Columns that the relation lacks are null. Where a
 * column's type changes, each value's encoding is compared before and after: a cast that changes a value is refused.
 */
export async function copyRelation(
  engine: Engine,
  options: {
    readonly from: string;
    readonly seen: TableSchema;
    readonly schema: TableSchema;
    readonly target: string;
    readonly file: string;
    /** Of the file that is written, where rows are known to be long. */
    readonly groupRows?: number;
  },
): Promise<void> {
  const { from, seen, schema } = options;
  const types = new Map(seen.columns.map((column) => [column.name, column.type]));
  const select: string[] = [];
  const changed: string[] = [];
  for (const { name, type } of schema.columns) {
    const quoted = quoteIdentifier(name);
    const source = types.get(name);
    if (source === undefined) {
      select.push(`NULL::${sqlType(type)} AS ${quoted}`);
      continue;
    }
    const held = `${quoted}::${sqlType(source)}`;
    const cast = castValueSql(held, source, type);
    select.push(`${cast} AS ${quoted}`);
    if (!sameType(source, type)) {
      changed.push(
        `count(*) FILTER (${valuePreimageSql(source, held)} <> ${valuePreimageSql(type, cast)})::INTEGER AS ${quoted}`,
      );
    }
  }
  if (changed.length > 0) {
    const [counts] = await engine.rows<Record<string, number>>(`SELECT ${changed.join(', ')} FROM ${from}`);
    for (const [name, count] of Object.entries(counts ?? {})) {
      if (count === 0) continue;
      const type = schema.columns.find((column) => column.name === name)?.type ?? 'NULL';
      throw new HoldoutError(
        'CONFLICT',
        `column "${name}": ${count} values cannot be held as ${typeName(type)} exactly`,
        {
          file: options.file,
          hint: 'Integers past 2^53 and fractions do not share a column.',
        },
      );
    }
  }
  await writeParquet(engine, `SELECT ${select.join(', ')} FROM ${from}`, options.target, options.groupRows);
}

/** Writes a query's rows in order: Parquet v1, whose writer does not fail on nested strings. */
export async function writeParquet(engine: Engine, query: string, target: string, groupRows?: number): Promise<void> {
  const options = 'FORMAT parquet, PARQUET_VERSION v1, COMPRESSION zstd, COMPRESSION_LEVEL 1';
  await copyInGroups(engine, query, target, options, groupRows);
}

/** Writes the digests of a body's rows, 32 bytes each; returns their number. */
export async function writeDigests(
  engine: Engine,
  body: string,
  schema: TableSchema,
  digestsPath: string,
): Promise<number> {
  // The writer of raw bytes makes its pipeline single-threaded, so hashing goes into a Parquet file first.
  const between = `${digestsPath}.parquet`;
  await engine.run(
    `COPY (SELECT ${rowDigestSql(schema)} AS h FROM ${parquetSql(engine, body)}) TO ${engine.outputSql(between)}` +
      ` (${digestColumnFormat})`,
  );
  await engine.run(
    `COPY (SELECT h FROM ${parquetSql(engine, between)}) TO ${engine.outputSql(digestsPath)} (FORMAT blob)`,
  );
  const rows = await engine.value<bigint>(`SELECT count(*) FROM ${parquetSql(engine, between)}`);
  await rm(between);
  return Number(rows);
}
