/**
 * New rows of a step, made from its input by SQL, a block of bounded size at a time and in the table's order: nothing
 * wide is sorted, and memory does not grow with the table.
 * @module
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { groupRowsOf } from '../tables/part-file.ts';
import type { Body, ReadTable } from '../tables/read/read-table-types.ts';
import { joinDigests, setRootOf, tableIdOf } from '../tables/read/table-digests.ts';
import { writeDigests, writeParquet } from '../tables/read/typed-body.ts';
import type { RowBlock } from '../tables/table-reader.ts';
import type { StepContext } from './transform.ts';

/** What making rows needs of a running step. */
export type BlockRowsContext = Pick<StepContext, 'input' | 'engine' | 'scratch' | 'signal' | 'onProgress'>;

/**
 * The rows that a query gives for each block of the input.
 * @param query a SELECT over a block whose columns are those of `schema`, in its types and the order that the rows get
 * @throws HoldoutError as the engine does; `INTERRUPTED`
 */
export async function rowsOfBlocks(
  context: BlockRowsContext,
  schema: TableSchema,
  query: (block: RowBlock) => Promise<string>,
  blocks: { readonly bytesMax?: number; readonly streamed?: boolean } = {},
): Promise<ReadTable> {
  const { input, signal, onProgress } = context;
  const writer = new BlockRows(context, schema);
  for await (const block of input.blocks(blocks)) {
    if (signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
    await writer.add(await query(block));
    onProgress?.(block.firstRow + block.rows);
  }
  return writer.finish();
}

/** Collects the results of queries as one table in the step's scratch folder. */
export class BlockRows {
  readonly #context: Pick<StepContext, 'input' | 'engine' | 'scratch'>;
  readonly #schema: TableSchema;
  readonly #bodies: Body[] = [];
  readonly #digests: string[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(context: Pick<StepContext, 'input' | 'engine' | 'scratch'>, schema: TableSchema) {
    this.#context = context;
    this.#schema = schema;
  }

  /** Adds the rows of a query after those before. @throws HoldoutError as the engine does */
  async add(sql: string): Promise<void> {
    const { engine, input, scratch } = this.#context;
    const name = join(scratch, `rows-${this.#bodies.length}`);
    const path = `${name}.parquet`;
    const columns = this.#schema.columns.map((column) => quoteIdentifier(column.name)).join(', ');
    await writeParquet(engine, `SELECT ${columns} FROM (${sql})`, path, groupRowsOf(input.rowBytes));
    const rows = await writeDigests(engine, path, this.#schema, `${name}.digests`);
    this.#bodies.push({ kind: 'typed', path, firstRow: this.#rows, rows, mayMove: true });
    this.#digests.push(`${name}.digests`);
    this.#rows += rows;
    this.#bytes += (await stat(path)).size;
  }

  /** The table. Its files go with the scratch folder. */
  async finish(): Promise<ReadTable> {
    const digestsPath = join(this.#context.scratch, 'rows.digests');
    await joinDigests(this.#digests, digestsPath);
    const digests = { path: digestsPath, rows: this.#rows };
    return {
      schema: this.#schema,
      rows: this.#rows,
      digestsPath,
      table: await tableIdOf(digests),
      setRoot: () => setRootOf(digests),
      bodies: this.#bodies.filter(({ rows }) => rows > 0),
      sources: [],
      notes: [],
      readParams: { formats: [], schema: this.#schema, inferred: false },
      bytes: this.#bytes,
      dispose: () => Promise.resolve(),
    };
  }
}

/** A block whose rows are numbered from 0 in a column of this name, as a query without parentheses. */
export function numberedBlock({ sql }: RowBlock, column: string): string {
  return `SELECT *, row_number() OVER () - 1 AS ${quoteIdentifier(column)} FROM (${sql})`;
}
