/**
 * Reads files as one table: its schema, the digests of its rows, its ids, and its rows as bodies that can be read again.
 * Nothing is stored; what is written goes into a folder that `dispose` removes.
 * @module
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { SetRoot } from '../../../schemas/ids.ts';
import type { TableSchema } from '../../../schemas/table-schema.ts';
import { Engine } from '../../engine/engine.ts';
import type { EngineOptions } from '../../engine/options.ts';
import { HoldoutError } from '../../errors.ts';
import { ScanPool } from '../json-scan/pool.ts';
import { needsTypedRead } from '../json-scan/schema.ts';
import { scanLines } from '../json-scan/scan-lines.ts';
import type { ScanOptions, ScanResult } from '../json-scan/scan-lines.ts';
import { convertLines } from './convert-lines.ts';
import { csvColumns } from './csv-schema.ts';
import { findInputFiles } from './input-files.ts';
import type { InputFile } from './input-files.ts';
import { openSource } from './open-source.ts';
import type { OpenedLines, OpenedParquet, OpenedSource, UnpackedFile } from './open-source.ts';
import { mixedNotes, withOddValue } from './odd-values.ts';
import { copyLongParquet, longParquetEngine, longRowsOf } from './long-parquet.ts';
import { checkParquet, encodingError, parquetError } from './parquet-source.ts';
import type { Body, ReadOptions, ReadTable, SourceFile } from './read-table-types.ts';
import { resolveSchema } from './resolve-schema.ts';
import { sniffFormat } from './sniff-format.ts';
import { joinDigests, setRootOf, tableIdOf } from './table-digests.ts';
import { copyRelation, parquetSql, relationSchema, writeDigests } from './typed-body.ts';
import type { WidenedSchema } from '../types/widen-schema.ts';
import { unpackFile } from './unpack.ts';

/** Files of less than this are scanned without worker threads. */
const smallFileBytes = 4 << 20;

/**
 * Reads the files that the arguments name as one table.
 * @throws HoldoutError `NOT_FOUND`, `INPUT_INVALID` (with file, line and column where there is one), `CONFLICT` when the
 * values do not fit the declared or the last schema, `LIMIT`, `IO`.
 */
export async function readTable(args: readonly string[], options: ReadOptions): Promise<ReadTable> {
  const inputs = await findInputFiles(args);
  const directory = await mkdtemp(join(resolve(options.workDirectory), 'read-'));
  const reading = new Reading(directory, options);
  try {
    return await reading.read(inputs);
  } catch (cause) {
    await rm(directory, { recursive: true, force: true });
    throw cause;
  } finally {
    await reading.close();
  }
}

/** What is open while a table is read: workers and an engine, each only where a file asks for it. */
class Reading {
  readonly #directory: string;
  readonly #options: ReadOptions;
  #pool: ScanPool | undefined;
  #engine: Engine | undefined;

  constructor(directory: string, options: ReadOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  async read(inputs: readonly InputFile[]): Promise<ReadTable> {
    const options = this.#options;
    const progress = progressCounter(await totalBytes(inputs), options.onProgress);
    const count = (bytes: number): void => {
      this.#mustGoOn();
      progress(bytes);
    };
    const files: UnpackedFile[] = [];
    for (const [index, input] of inputs.entries()) files.push(await this.#unpack(input, index, count));

    const csvSchema = await csvColumns(files, options);
    this.#mustGoOn();
    const opened: OpenedSource[] = [];
    for (const [index, file] of files.entries()) {
      this.#mustGoOn();
      opened.push(
        await openSource(file, {
          directory: this.#directory,
          index,
          count,
          csvSchema,
          declaredSchema: options.schema ?? options.previousSchema ?? null,
          scan: (scanOptions) => this.#scan(scanOptions),
        }),
      );
    }
    const given = new Map<OpenedSource, TableSchema | null>();
    for (const source of opened) given.set(source, await this.#givenSchema(source, files));
    const seen = opened.map((source) => ({
      label: source.file.label,
      inferred: source.kind === 'lines' ? source.inferred : null,
      given: given.get(source) ?? null,
    }));
    // Where the file gives types, values decide nothing.
    const scanned = opened.flatMap((source) =>
      source.kind === 'lines' && source.declared === null ? [{ ...source, label: source.file.label }] : [],
    );
    let resolved: WidenedSchema;
    try {
      resolved = resolveSchema(seen, options);
    } catch (error) {
      throw await withOddValue(error, scanned, options.previousSchema);
    }
    const { schema, notes } = resolved;
    const isNew = options.schema === undefined && options.previousSchema === undefined;
    const mixed = isNew && options.tellsMixed === true ? await mixedNotes(scanned, schema) : [];
    return this.#finish(opened, given, schema, [...notes, ...mixed], csvSchema);
  }

  async close(): Promise<void> {
    await this.#pool?.close();
    await this.#engine?.close();
  }

  async #unpack(input: InputFile, index: number, count: (bytes: number) => void): Promise<UnpackedFile> {
    const { format, standardInput } = this.#options;
    const spool = join(this.#directory, `${index}.unpacked`);
    const plain = await unpackFile(input, spool, standardInput, count);
    const label = input.path === '-' ? 'standard input' : input.path;
    return { input, label, plain, format: format ?? (await sniffFormat(plain.path, label)) };
  }

  async #scan(scan: ScanOptions): Promise<ScanResult> {
    const { size } = await stat(scan.path);
    if (size < smallFileBytes) return scanLines(scan);
    this.#pool ??= ScanPool.open(this.#options.threads);
    return scanLines({ ...scan, pool: this.#pool });
  }

  /** The types that a file's format gives. */
  async #givenSchema(source: OpenedSource, files: readonly UnpackedFile[]): Promise<TableSchema | null> {
    if (source.kind === 'lines') return source.declared;
    const engine = await this.#openEngine(files);
    await checkParquet(engine, source.path, source.file.label);
    return relationSchema(engine, parquetSql(engine, source.path), source.file.label);
  }

  async #openEngine(files: readonly UnpackedFile[]): Promise<Engine> {
    this.#engine ??= await this.#openOn(files.map((file) => file.plain.path));
    return this.#engine;
  }

  async #openOn(
    readPaths: readonly string[],
    limits: Pick<EngineOptions, 'threads' | 'memoryLimitBytes'> = {},
  ): Promise<Engine> {
    const { threads, memoryLimitBytes, signal } = this.#options;
    const folder = { tempDirectory: this.#directory, readPaths, writeDirectories: [this.#directory] };
    return Engine.open({ ...folder, threads, memoryLimitBytes, signal, ...limits });
  }

  async #withEngine(
    readPaths: readonly string[],
    limits: Pick<EngineOptions, 'threads' | 'memoryLimitBytes'>,
    run: (engine: Engine) => Promise<void>,
  ): Promise<void> {
    const engine = await this.#openOn(readPaths, limits);
    try {
      await run(engine);
    } finally {
      await engine.close();
    }
  }

  #mustGoOn(): void {
    if (this.#options.signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
  }

  async #finish(
    opened: readonly OpenedSource[],
    given: ReadonlyMap<OpenedSource, TableSchema | null>,
    schema: TableSchema,
    notes: readonly string[],
    csvSchema: TableSchema | null,
  ): Promise<ReadTable> {
    const bodies: Body[] = [];
    const sources: SourceFile[] = [];
    const digests: string[] = [];
    let firstRow = 0;
    const files = opened.map((source) => source.file);
    const typed = needsTypedRead(schema);
    for (const [index, source] of opened.entries()) {
      this.#mustGoOn();
      const target = join(this.#directory, `${index}.parquet`);
      const digestsPath = join(this.#directory, `${index}.digests`);
      let rows: number;
      if (source.kind === 'lines' && (!typed || source.rows === 0)) {
        rows = source.rows;
        const { path, longestLineBytes, groupBytes } = source;
        bodies.push({ kind: 'lines', path: resolve(path), firstRow, rows, longestLineBytes, groupBytes });
      } else {
        const engine = await this.#openEngine(files);
        await this.#writeTyped(engine, source, given.get(source) ?? null, schema, target);
        rows = await writeDigests(engine, target, schema, digestsPath).catch((cause: unknown) => {
          throw encodingError(cause, source.file.label);
        });
        bodies.push({ kind: 'typed', path: target, firstRow, rows });
      }
      digests.push(digestsPath);
      sources.push(sourceFile(source, firstRow, rows, typed));
      firstRow += rows;
    }
    const digestsPath = join(this.#directory, 'digests');
    await joinDigests(digests, digestsPath);
    const digestFile = { path: digestsPath, rows: firstRow };
    const table = await tableIdOf(digestFile);
    let setRoot: Promise<SetRoot> | null = null;
    const { schema: declared, previousSchema, infer } = this.#options;
    const inferred = infer === true && csvSchema !== null;
    const directory = this.#directory;
    return {
      schema,
      rows: firstRow,
      digestsPath,
      table,
      setRoot: () => (setRoot ??= setRootOf(digestFile)),
      bodies: bodies.filter((body) => body.rows > 0),
      sources,
      notes: [...notes, ...emptyNotes(sources)],
      readParams: {
        formats: files.map((file) => file.format),
        schema: inferred || declared !== undefined || previousSchema !== undefined ? schema : null,
        inferred,
      },
      bytes: sources.reduce((sum, source) => sum + source.bytes, 0),
      dispose: () => rm(directory, { recursive: true, force: true }),
    };
  }

  async #writeTyped(
    engine: Engine,
    source: OpenedLines | OpenedParquet,
    given: TableSchema | null,
    schema: TableSchema,
    target: string,
  ): Promise<void> {
    const { label } = source.file;
    if (source.kind === 'lines') {
      await convertLines(engine, { ...source, name: label }, schema, target);
      return;
    }
    if (given === null) throw new TypeError('a Parquet file gives its types');
    const relation = { seen: given, schema, target, file: label };
    const long = await longRowsOf(engine, source.path, given);
    const copied =
      long === null
        ? copyRelation(engine, { ...relation, from: parquetSql(engine, source.path) })
        : this.#withEngine([source.path], longParquetEngine, (own) =>
            copyLongParquet(own, source.path, long, relation),
          );
    await copied.catch((cause: unknown) => {
      throw parquetError(cause, label);
    });
  }
}

/** A file that was cut short, or written before its rows were there, is easily taken for one that was read. */
function emptyNotes(sources: readonly SourceFile[]): string[] {
  return sources.flatMap(({ path, rows }) => (rows > 0 ? [] : [`${path === '-' ? 'standard input' : path}: 0 rows`]));
}

function sourceFile(source: OpenedSource, firstRow: number, rows: number, typed: boolean): SourceFile {
  const { input, plain, format } = source.file;
  return {
    path: input.path,
    name: input.name,
    sha256: source.sha256,
    bytes: plain.bytes,
    format,
    compression: plain.compression,
    firstRow,
    rows,
    // The lines of a typed body are gone, so they cannot give the file back.
    fixups: source.kind === 'lines' && !typed ? source.fixups : null,
    lineOfRow: (row) => (source.kind === 'lines' ? source.lineOf(row - firstRow) : null),
  };
}

async function totalBytes(inputs: readonly InputFile[]): Promise<number> {
  let total = 0;
  for (const { path } of inputs) {
    if (path !== '-')
      total += await stat(path).then(
        (facts) => facts.size,
        () => 0,
      );
  }
  return total;
}

function progressCounter(total: number, report: ReadOptions['onProgress']): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done += bytes;
    report?.(Math.min(done, Math.max(total, done)), Math.max(total, done));
  };
}
