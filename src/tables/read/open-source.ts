/**
 * Opens one input file: unpacks it, finds its format, and brings it into one of two forms, lines that were scanned or a
 * Parquet file that was checked.
 * @module
 */
import { join } from 'node:path';
import type { Sha256Id } from '../../../schemas/ids.ts';
import type { LineFixups } from '../../../schemas/records.ts';
import type { TableSchema } from '../../../schemas/table-schema.ts';
import type { InferredSchema } from '../json-scan/inferred.ts';
import type { ScanOptions, ScanResult } from '../json-scan/scan-lines.ts';
import { splitDocument } from '../json-scan/split-document.ts';
import { writeCsvAsLines } from './csv-to-lines.ts';
import type { CsvFile } from './csv-to-lines.ts';
import type { InputFile } from './input-files.ts';
import type { SourceFormat } from './read-table-types.ts';
import { hashFile } from './unpack.ts';
import type { CountBytes, PlainFile } from './unpack.ts';

/** A file unpacked, and what it is. */
export interface UnpackedFile {
  readonly input: InputFile;
  /** Name in messages: the path as given. */
  readonly label: string;
  readonly plain: PlainFile;
  readonly format: SourceFormat;
}

/** A file in one of the two forms; rows count from 0 in the file. */
export type OpenedSource = OpenedLines | OpenedParquet;

interface OpenedBase {
  readonly file: UnpackedFile;
  readonly sha256: Sha256Id;
}

/** Lines, scanned. */
export interface OpenedLines extends OpenedBase {
  readonly kind: 'lines';
  readonly path: string;
  readonly rows: number;
  readonly digestsPath: string;
  readonly inferred: InferredSchema;
  /** The types that the file itself gives (CSV, Arrow); null where values alone say it. */
  readonly declared: TableSchema | null;
  readonly longestLineBytes: number;
  readonly groupBytes: number;
  readonly fixups: LineFixups | null;
  lineOf(row: number): number | null;
}

/** A Parquet file, not read yet. */
export interface OpenedParquet extends OpenedBase {
  readonly kind: 'parquet';
  readonly path: string;
}

/** What opening needs beside the file. */
export interface OpenContext {
  readonly directory: string;
  readonly index: number;
  readonly count: CountBytes;
  /** Types of a CSV file's columns. */
  readonly csvSchema: TableSchema | null;
  /** Types that the caller declares or that the last version had. */
  readonly declaredSchema: TableSchema | null;
  /** Scans with the workers that are open. */
  scan(options: ScanOptions): Promise<ScanResult>;
}

/**
 * Opens a file.
 * @throws HoldoutError as the readers of the formats do.
 */
export async function openSource(file: UnpackedFile, context: OpenContext): Promise<OpenedSource> {
  const { plain, format, label } = file;
  const spool = join(context.directory, `${context.index}.jsonl`);
  switch (format) {
    case 'jsonl':
      return openJsonLines(file, context);
    case 'json': {
      const document = await splitDocument(plain.path, spool, {
        name: label,
        onProgress: counting(file, context.count),
      });
      const scan = await scanSpool(spool, file, context, document.placeOf);
      const sha256 = plain.sha256 ?? document.sha256;
      const lineOf = (row: number): number | null => (row < scan.rows ? document.lineOfRow(row) : null);
      return spooledLines(file, spool, scan, { sha256, declared: null, lineOf });
    }
    case 'csv':
    case 'tsv': {
      if (context.csvSchema === null) throw new TypeError('a CSV file needs the types of its columns');
      const lines = await writeCsvAsLines(csvFile(file, context.count), context.csvSchema, spool);
      const scan = await scanSpool(spool, file, context, async (row) => ({ line: lines.lineOf(row) ?? 1, column: 1 }));
      const sha256 = plain.sha256 ?? (await hashFile(plain.path, () => {}));
      return spooledLines(file, spool, scan, {
        sha256,
        declared: context.csvSchema,
        lineOf: (row) => lines.lineOf(row),
      });
    }
    case 'arrow-file':
    case 'arrow-stream': {
      const sha256 = plain.sha256 ?? (await hashFile(plain.path, context.count));
      // Only here: the Arrow library is 150 modules, a tenth of a second for whoever reads something else.
      const { writeArrowAsLines } = await import('./arrow-to-lines.ts');
      const declared = await writeArrowAsLines(
        { path: plain.path, name: label, format, schema: context.declaredSchema },
        spool,
      );
      const scan = await scanSpool(spool, file, context);
      return spooledLines(file, spool, scan, { sha256, declared, lineOf: () => null });
    }
    default:
      return {
        kind: 'parquet',
        file,
        path: plain.path,
        sha256: plain.sha256 ?? (await hashFile(plain.path, context.count)),
      };
  }
}

/** A CSV file as its reader takes it. */
export function csvFile(file: UnpackedFile, count: CountBytes): CsvFile {
  return {
    path: file.plain.path,
    name: file.label,
    delimiter: file.format === 'tsv' ? '\t' : ',',
    count: file.plain.sha256 === null ? count : () => {},
  };
}

async function openJsonLines(file: UnpackedFile, context: OpenContext): Promise<OpenedLines> {
  const { plain, label } = file;
  const digestsPath = join(context.directory, `${context.index}.digests`);
  const scan = await context.scan({
    path: plain.path,
    name: label,
    tempDigests: digestsPath,
    wantSha256: plain.sha256 === null,
    onProgress: counting(file, context.count),
  });
  const sha256 = plain.sha256 ?? scan.sha256;
  if (sha256 === null) throw new TypeError('the scan gave no digest');
  const { fixups } = scan;
  return {
    kind: 'lines',
    file,
    sha256,
    path: plain.path,
    rows: scan.rows,
    digestsPath,
    inferred: scan.schema,
    declared: null,
    longestLineBytes: scan.longestLineBytes,
    groupBytes: scan.groupBytes,
    fixups: plain.compression === 'none' ? fixups : null,
    lineOf: (row) => (fixups === null || row >= scan.rows ? null : lineAmongBlanks(row, fixups)),
  };
}

/** A file whose rows were written as lines; their line ends are our own and put nothing back. */
function spooledLines(
  file: UnpackedFile,
  spool: string,
  scan: ScannedSpool,
  from: Pick<OpenedLines, 'sha256' | 'declared' | 'lineOf'>,
): OpenedLines {
  const { rows, schema, longestLineBytes, groupBytes, digestsPath } = scan;
  return {
    kind: 'lines',
    file,
    path: spool,
    rows,
    digestsPath,
    inferred: schema,
    longestLineBytes,
    groupBytes,
    fixups: null,
    ...from,
  };
}

type ScannedSpool = ScanResult & { readonly digestsPath: string };

async function scanSpool(
  spool: string,
  file: UnpackedFile,
  context: OpenContext,
  placeOf?: ScanOptions['placeOf'],
): Promise<ScannedSpool> {
  const digestsPath = join(context.directory, `${context.index}.digests`);
  const scan = await context.scan({
    path: spool,
    name: file.label,
    tempDigests: digestsPath,
    ...(placeOf === undefined ? {} : { placeOf }),
  });
  return { ...scan, digestsPath };
}

/** Blank lines stand between rows and are none. */
function lineAmongBlanks(row: number, fixups: LineFixups): number {
  let line = row;
  for (const [blank] of fixups.blanks) {
    if (blank > line) break;
    line++;
  }
  return line + 1;
}

/** Turns a running total into steps; a file that was unpacked has been counted already. */
function counting(file: UnpackedFile, count: CountBytes): (total: number) => void {
  if (file.plain.sha256 !== null) return () => {};
  let before = 0;
  return (total) => {
    count(total - before);
    before = total;
  };
}
