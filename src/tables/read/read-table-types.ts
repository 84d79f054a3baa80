/**
 * What reading takes and what it gives.
 * @module
 */
import type { SetRoot, Sha256Id, TableId } from '../../../schemas/ids.ts';
import type { LineFixups } from '../../../schemas/records.ts';
import type { TableSchema } from '../../../schemas/table-schema.ts';

/** How files are read. */
export interface ReadOptions {
  /** Folder for spool files and typed bodies; the table makes a folder of its own in it. It must exist. */
  readonly workDirectory: string;
  readonly threads: number;
  /** Memory for the query engine's buffers. */
  readonly memoryLimitBytes?: number | undefined;
  /** Types that the caller declares: values are held against them, never converted by guess. */
  readonly schema?: TableSchema | undefined;
  /** Schema of the last version of the same name: kept, or widened and said so, or a CONFLICT. */
  readonly previousSchema?: TableSchema | undefined;
  /** Say in the notes of a table without declared types which columns are JSON for values of several kinds, and where. */
  readonly tellsMixed?: boolean | undefined;
  /** Propose types for the columns of CSV files by their values. */
  readonly infer?: boolean | undefined;
  /** Format of every file, where its content should not decide. */
  readonly format?: SourceFormat | undefined;
  /** What `-` stands for. */
  readonly standardInput?: NodeJS.ReadableStream | undefined;
  /** Ends the reading with `INTERRUPTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes read of the files as given. */
  readonly onProgress?: ((bytesDone: number, bytesTotal: number) => void) | undefined;
}

export type SourceFormat = 'jsonl' | 'json' | 'csv' | 'tsv' | 'parquet' | 'arrow-file' | 'arrow-stream';
export type SourceCompression = 'none' | 'gzip' | 'zstd';

/** A stretch of the table's rows, as a file. */
export type Body =
  | {
      /** JSON Lines, each an object; blank lines may stand between them. */
      readonly kind: 'lines';
      readonly path: string;
      readonly firstRow: number;
      readonly rows: number;
      readonly longestLineBytes: number;
      /** No `rowsPerGroup` consecutive rows have more bytes. */
      readonly groupBytes: number;
    }
  | {
      /** Parquet with the columns of the table's schema, in its types. */
      readonly kind: 'typed';
      readonly path: string;
      readonly firstRow: number;
      readonly rows: number;
      /** The file is written as parts are, and nobody reads it once it is stored: a store may take it as it stands. */
      readonly mayMove?: boolean;
    };

/** A file as it was given. */
export interface SourceFile {
  /** The path as it can be opened again; `-` for standard input. */
  readonly path: string;
  /** Name without folders. */
  readonly name: string;
  /** Digest and size of the file as given, before unpacking. */
  readonly sha256: Sha256Id;
  readonly bytes: number;
  readonly format: SourceFormat;
  readonly compression: SourceCompression;
  readonly firstRow: number;
  readonly rows: number;
  /** Of plain JSONL only: what the rows' lines do not say about the file's bytes. */
  readonly fixups: LineFixups | null;
  /** The file's line (from 1) on which a row of the table begins; null where a file has no lines. */
  lineOfRow(row: number): number | null;
}

/** A table just read; nothing of it is stored. */
export interface ReadTable {
  readonly schema: TableSchema;
  readonly rows: number;
  /** Row digests in row order, 32 bytes each. */
  readonly digestsPath: string;
  readonly table: TableId;
  /** Computed from the digests' file when first asked for; other work can go on meanwhile. */
  setRoot(): Promise<SetRoot>;
  /** In row order; concatenated they are the table. */
  readonly bodies: readonly Body[];
  readonly sources: readonly SourceFile[];
  /** Things to tell the person: widened columns, proposed types. */
  readonly notes: readonly string[];
  /** Parameters of the read step of the lineage: what, beside the files, decides the outcome. */
  readonly readParams: ReadParams;
  /** Bytes of the files as given. */
  readonly bytes: number;
  /** Removes the table's spool files. */
  dispose(): Promise<void>;
}

/** Parameters of the read step. */
export interface ReadParams {
  /** Format of each file, in order; recorded, so that a later sniffer changes nothing. */
  readonly formats: readonly SourceFormat[];
  /** The types declared, kept from the last version, or proposed; null where the files alone decide. */
  readonly schema: TableSchema | null;
  /** Whether `schema` was proposed by `--infer`. */
  readonly inferred: boolean;
}

/** The file and line of a row of the table. */
export function sourceOfRow(
  table: ReadTable,
  row: number,
): { readonly file: string; readonly line: number | null } | null {
  const source = table.sources.find((file) => row >= file.firstRow && row < file.firstRow + file.rows);
  return source === undefined ? null : { file: source.path, line: source.lineOfRow(row) };
}
