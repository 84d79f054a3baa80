/**
 * The one door to DuckDB: an in-memory instance that reaches only the files it was given, spills into a folder of its
 * own and cannot be reconfigured. Results are materialised, and the binding frees one only when its JavaScript object is
 * collected: a streamed result that fails ends like one that is finished. Only `stream` does without, as it compares the
 * number of rows with what is expected.
 * @module
 */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBMaterializedResult } from '@duckdb/node-api';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HoldoutError } from '../errors.ts';
import { quoteString } from '../identity/sql-text.ts';
import { allowFiles, allowStatements, fileNameSql, outputNameSql } from './allowed-files.ts';
import type { AllowedFiles } from './allowed-files.ts';
import { loadBinding } from './binding.ts';
import type { Binding } from './binding.ts';
import { registerJsonFunctions } from './json-functions.ts';
import { creationSettings } from './options.ts';
import type { EngineOptions } from './options.ts';
import { plainValue } from './plain-value.ts';
import type { PlainValue } from './plain-value.ts';
import { registerTable } from './register-table.ts';
import type { TableColumn } from './register-table.ts';
import { translateError } from './translate-error.ts';

/** A stretch of a result, column by column. */
export interface ResultChunk {
  readonly rows: number;
  /** The bytes of a BLOB cell; null for SQL NULL. */
  bytes(column: number, row: number): Uint8Array | null;
  value(column: number, row: number): PlainValue;
}

/** How far the running statement is, as the engine sees it. */
export interface EngineProgress {
  /** 0 … 100, or −1 where the engine cannot tell. */
  readonly percentage: number;
}

const interruptEveryMs = 20;

/** An open DuckDB instance. Statements of one engine run one after another. */
export class Engine {
  readonly #binding: Binding;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #files: AllowedFiles;
  readonly #ownDirectory: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.interrupt();
  /** Settles when the last statement asked for has ended: one that began before would cut a stream off. */
  #turn: Promise<void> = Promise.resolve();
  #interrupts = 0;
  #closed = false;
  #scratchPaths = 0;

  private constructor(
    binding: Binding,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    files: AllowedFiles,
    ownDirectory: string,
    signal: AbortSignal | undefined,
  ) {
    this.#binding = binding;
    this.#instance = instance;
    this.#connection = connection;
    this.#files = files;
    this.#ownDirectory = ownDirectory;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
  }

  /**
   * Opens an engine and locks it: no network, no extensions, no file outside `options`, no setting changed afterwards.
   * @throws HoldoutError `IO` when the temporary folder cannot be used.
   */
  static async open(options: EngineOptions): Promise<Engine> {
    const settings = creationSettings(options);
    const binding = loadBinding();
    // A fresh folder: two instances that share one use the same file names in it.
    const ownDirectory = await mkdtemp(join(resolve(options.tempDirectory), `engine-${process.pid}-`)).catch(
      (cause: unknown) => {
        throw translateError(new Error(`IO Error: ${String(cause)}`, { cause }));
      },
    );
    let instance: DuckDBInstance | undefined;
    try {
      const files = allowFiles(options, ownDirectory);
      instance = await binding.DuckDBInstance.create(':memory:', settings);
      const connection = await instance.connect();
      await connection.run("SET TimeZone = 'UTC'");
      await connection.run('SET enable_progress_bar = true');
      await connection.run('SET enable_progress_bar_print = false');
      await connection.run(`SET temp_directory = ${quoteString(join(ownDirectory, 'spill'))}`);
      for (const statement of allowStatements(files)) await connection.run(statement);
      // Filters and joins would put what is left of several stretches together, up to 2048 rows: of long ones, gigabytes.
      await connection.run('SET enable_caching_operators = false');
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
      registerJsonFunctions(binding, connection);
      return new Engine(binding, instance, connection, files, ownDirectory, options.signal);
    } catch (cause) {
      instance?.closeSync();
      await rm(ownDirectory, { recursive: true, force: true });
      throw translateError(cause);
    }
  }

  /**
   * Runs a statement for its effect.
   * @throws HoldoutError as `translateError` says.
   */
  async run(sql: string): Promise<void> {
    await this.#materialise(sql);
  }

  /** All rows of a query as objects; see `PlainValue`. Wide or long results belong into `scan` or a file. */
  async rows<T = Record<string, PlainValue>>(sql: string): Promise<T[]> {
    const result = await this.#materialise(sql);
    const names = result.deduplicatedColumnNames();
    const rows: T[] = [];
    for (const chunk of chunksOf(this.#binding, result)) {
      for (let row = 0; row < chunk.rows; row++) {
        const object = Object.create(null) as Record<string, PlainValue>;
        for (const [column, name] of names.entries()) object[name] = chunk.value(column, row);
        rows.push(object as T);
      }
    }
    return rows;
  }

  /**
   * The one value of a query of one row and one column.
   * @throws RangeError when the result has another shape.
   */
  async value<T extends PlainValue = PlainValue>(sql: string): Promise<T> {
    const result = await this.#materialise(sql);
    const [chunk] = chunksOf(this.#binding, result);
    if (chunk === undefined || result.rowCount !== 1 || result.columnCount !== 1) {
      throw new RangeError(`expected one value, got ${result.rowCount} rows of ${result.columnCount} columns`);
    }
    return chunk.value(0, 0) as T;
  }

  /** The bytes of the first column, a BLOB, row by row. */
  async blobs(sql: string): Promise<(Uint8Array | null)[]> {
    const blobs: (Uint8Array | null)[] = [];
    await this.scan(sql, (chunk) => {
      for (let row = 0; row < chunk.rows; row++) blobs.push(chunk.bytes(0, row));
    });
    return blobs;
  }

  /** Visits a result stretch by stretch, in order; returns the number of its rows. */
  async scan(sql: string, visit: (chunk: ResultChunk) => void | Promise<void>): Promise<number> {
    const result = await this.#materialise(sql);
    for (const chunk of chunksOf(this.#binding, result)) await visit(chunk);
    return result.rowCount;
  }

  /**
   * Visits a result of as many rows as are expected, stretch by stretch and in order, as it is made: none of it is kept.
   * Other statements wait for its end. Returns the number of rows, which is the expected one unless the query gives
   * others.
   */
  async stream(sql: string, rowsExpected: number, visit: (chunk: ResultChunk) => void): Promise<number> {
    const interrupts = this.#interrupts;
    const { rows, failure } = await this.#inTurn(async (connection) => {
      const result = await connection.stream(sql);
      let visited = 0;
      for (;;) {
        const chunk = await result.fetchChunk();
        // No chunk, or one without rows: the end, or the query failed.
        if (chunk === null || chunk.rowCount === 0) return { rows: visited };
        visited += chunk.rowCount;
        try {
          visit(resultChunk(this.#binding, chunk));
        } catch (cause) {
          // The visitor's own, not the engine's.
          return { rows: visited, failure: { cause } };
        }
      }
    });
    if (failure !== undefined) throw failure.cause;
    if (this.#interrupts > interrupts) throw new HoldoutError('INTERRUPTED', 'interrupted');
    if (rows === rowsExpected) return rows;
    // Run again for the error that ended it, into a table: that may spill.
    await this.run(`CREATE OR REPLACE TEMP TABLE holdout_streamed AS ${sql}`);
    const all = Number(await this.value<bigint>('SELECT count(*) FROM holdout_streamed'));
    await this.run('DROP TABLE holdout_streamed');
    if (all === rows) return rows;
    throw new Error(`a stream of ${all} rows ended after ${rows}`);
  }

  /**
   * Names and types (as DuckDB writes them) of a query's columns, without running it.
   * @throws HoldoutError `USAGE` when the statement is no query.
   */
  async describe(sql: string): Promise<{ readonly name: string; readonly type: string }[]> {
    return this.#inTurn(async (connection) => {
      const prepared = await connection.prepare(sql);
      if (prepared.statementType !== this.#binding.StatementType.SELECT) {
        throw new HoldoutError('USAGE', 'this statement is no SELECT');
      }
      return Array.from({ length: prepared.columnCount }, (_, index) => ({
        name: prepared.columnName(index),
        type: prepared.columnType(index).toString(),
      }));
    });
  }

  /**
   * How many statements a text holds.
   * @throws HoldoutError `INPUT_INVALID` when it cannot be parsed.
   */
  async statementCount(sql: string): Promise<number> {
    return this.#inTurn(async (connection) => (await connection.extractStatements(sql)).count);
  }

  /**
   * The file's name as SQL: quoted, and never a glob pattern. A file that the engine was not opened with is reached by
   * a hard link or, failing that, a copy: name large ones in `readPaths`.
   */
  fileSql(path: string): string {
    return fileNameSql(this.#files, path);
  }

  /**
   * The name of a file to be written, as SQL.
   * @throws RangeError when it does not lie in one of `writeDirectories`.
   */
  outputSql(path: string): string {
    return outputNameSql(this.#files, path);
  }

  /** A new name in the engine's own folder, which goes with the engine. It may be written and read, also by SQL. */
  scratchPath(suffix = ''): string {
    return join(this.#ownDirectory, `scratch-${this.#scratchPaths++}${suffix}`);
  }

  /** Creates or replaces a temporary table of these columns. */
  async registerTable(name: string, columns: readonly TableColumn[]): Promise<void> {
    await this.#inTurn((connection) => registerTable(this.#binding, connection, name, columns));
  }

  /** How far the running statement is. */
  progress(): EngineProgress {
    return { percentage: this.#connection.progress.percentage };
  }

  /** Stops the running statement; it fails with `INTERRUPTED`. */
  interrupt(): void {
    this.#interrupts += 1;
    if (!this.#closed) this.#connection.interrupt();
  }

  /**
   * Stops what runs, closes the instance and removes its folder. A connection that is closed under a running statement
   * is freed by that statement, which holds its lock then, and waits for itself for ever: so its end comes first.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#interrupts += 1;
    // A statement that has not begun yet does not hear an interrupt.
    const stopping = setInterval(() => this.#connection.interrupt(), interruptEveryMs);
    this.#connection.interrupt();
    await this.#turn;
    clearInterval(stopping);
    this.#connection.closeSync();
    this.#instance.closeSync();
    await rm(this.#ownDirectory, { recursive: true, force: true });
  }

  #materialise(sql: string): Promise<DuckDBMaterializedResult> {
    return this.#inTurn((connection) => connection.run(sql));
  }

  /** Acts when every statement that was asked for before has ended. */
  async #inTurn<T>(act: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const acting = this.#turn.then(() => {
      if (this.#closed) throw new TypeError('the engine is closed');
      return act(this.#connection);
    });
    this.#turn = acting.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await acting;
    } catch (cause) {
      throw cause instanceof TypeError || cause instanceof RangeError ? cause : translateError(cause);
    }
  }
}

function* chunksOf(binding: Binding, result: DuckDBMaterializedResult): Generator<ResultChunk> {
  for (let index = 0; index < result.chunkCount; index++) yield resultChunk(binding, result.getChunk(index));
}

function resultChunk(binding: Binding, chunk: DuckDBDataChunk): ResultChunk {
  return {
    rows: chunk.rowCount,
    bytes: (column, row) => {
      const vector = chunk.getColumnVector(column);
      if (!(vector instanceof binding.DuckDBBlobVector)) throw new TypeError(`column ${column} is no BLOB`);
      const bytes = vector.getItemBytes(row);
      // Short values are views into the chunk, which goes away; long ones are copies already.
      return bytes === null || bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    },
    value: (column, row) => plainValue(binding, chunk.getColumnVector(column).getItem(row)),
  };
}
