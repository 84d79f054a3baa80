/**
 * What a Parquet file holds, by its footer.
 * @module
 */
import type { Engine } from '../engine/engine.ts';

/** Rows of a file, and the bytes of its columns before compression. */
export interface ParquetSize {
  readonly rows: number;
  readonly bytes: number;
}

/** Reads the footer. @throws HoldoutError as the engine does */
export async function measureParquet(engine: Engine, path: string): Promise<ParquetSize> {
  const file = engine.fileSql(path);
  const [found] = await engine.rows<{ rows: bigint; bytes: bigint }>(
    `SELECT (SELECT any_value(num_rows) FROM parquet_file_metadata(${file}))::BIGINT AS "rows",
            (SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata(${file}))::BIGINT AS bytes`,
  );
  return { rows: Number(found?.rows), bytes: Number(found?.bytes ?? 0) };
}
