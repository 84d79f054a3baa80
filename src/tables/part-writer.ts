/**
 * Writes rows of a table just read as part files: Parquet v1 with zstd, in row groups small enough to be read alone.
 * (Version 2 of the format saves 5 % and its writer fails on some nested strings; dictionaries cost twice the time.)
 * @module
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { copyInGroups } from './copy-parquet.ts';
import { measureParquet } from './measure-parquet.ts';
import { groupRowsFor, groupRowsOf } from './part-file.ts';
import { rawLines } from './raw-lines.ts';
import type { Body } from './read/read-table-types.ts';
import { fileRowsSql } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { rowsIn, runsWithin } from './row-runs.ts';
import type { RowRun } from './row-runs.ts';
import { RowWeight } from './row-weight.ts';
import { freeName } from './sql-types.ts';

/** A finished part file that no store holds yet. */
export interface WrittenPart {
  readonly kind: 'lines' | 'typed';
  readonly path: string;
  readonly logicalBytes: number;
  /** Rows of the table that it holds, in its order. */
  readonly runs: readonly RowRun[];
}

/** What writing needs of its surroundings. */
export interface PartPlace {
  readonly engine: Engine;
  readonly schema: TableSchema;
  /** A new name in a folder that the engine may write to. */
  readonly temporary: (suffix: string) => Promise<string>;
  /** Lines are cut into parts of about this size; a file of up to twice of it stays one. By default 512 MiB. */
  readonly partBytesMax?: number;
}

const options = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v1';
const lineOptions = `${options}, DICTIONARY_SIZE_LIMIT 1`;
const partBytesDefault = 512 << 20;
/** The CSV reader takes 16 times this memory. */
export const csvLineBytesMax = 8 << 20;
const longSliceBytesMax = 64 << 20;

/** Writes the rows `runs` of the bodies; consecutive bodies of one kind share parts. */
export async function writeParts(
  place: PartPlace,
  bodies: readonly Body[],
  runs: readonly RowRun[],
  bodyBytes: (body: Body) => Promise<number>,
): Promise<WrittenPart[]> {
  const parts: WrittenPart[] = [];
  for (let first = 0; first < bodies.length;) {
    let end = first + 1;
    while (end < bodies.length && bodies[end]!.kind === bodies[first]!.kind) end++;
    const group = bodies.slice(first, end);
    const wanted = runsWithin(
      runs,
      group[0]!.firstRow,
      group.reduce((sum, { rows }) => sum + rows, 0),
    );
    if (wanted.length > 0) parts.push(...(await writeGroup(place, group, wanted, bodyBytes)));
    first = end;
  }
  return parts;
}

async function writeGroup(
  place: PartPlace,
  bodies: readonly Body[],
  runs: readonly RowRun[],
  bodyBytes: (body: Body) => Promise<number>,
): Promise<WrittenPart[]> {
  if (bodies[0]!.kind === 'typed') return writeTypedParts(place, bodies, runs, bodyBytes);
  const [body] = bodies;
  const longest = Math.max(...bodies.map((each) => (each.kind === 'lines' ? each.longestLineBytes : 0)));
  if (bodies.length === 1 && rowsIn(runs) === body!.rows && longest <= csvLineBytesMax) {
    if ((await bodyBytes(body!)) <= 2 * (place.partBytesMax ?? partBytesDefault)) {
      const groupBytes = body!.kind === 'lines' ? body!.groupBytes : 0;
      const part = await writeWholeLines(place, { path: body!.path, runs, groupBytes }, longest);
      if (part !== null) return [part];
    }
  }
  return writeSlices(place, bodies, runs, longest);
}

/** Lines of a file, and a bound on what `rowsPerGroup` of them come to. */
interface LinesFile {
  readonly path: string;
  readonly runs: readonly RowRun[];
  readonly groupBytes: number;
}

/** The file as it stands through the CSV reader; null where that reader cannot take it (mixed line ends, lone CR). */
async function writeWholeLines(
  place: PartPlace,
  { path, runs, groupBytes }: LinesFile,
  longest: number,
): Promise<WrittenPart | null> {
  const output = await place.temporary('.parquet');
  try {
    await copyInGroups(
      place.engine,
      `SELECT line FROM ${csvLinesSql(place.engine, path, longest)} WHERE ${rowLineSql}`,
      output,
      lineOptions,
      groupRowsFor(groupBytes),
    );
  } catch (error) {
    await rm(output, { force: true });
    if (error instanceof HoldoutError && (error.code === 'INTERRUPTED' || error.code === 'IO')) throw error;
    return null;
  }
  // What is to be durable soon goes to the disk while it is read back.
  const [written] = await Promise.all([measure(place.engine, output), syncFile(output)]);
  if (written.rows === rowsIn(runs)) return { kind: 'lines', path: output, logicalBytes: written.bytes, runs };
  await rm(output, { force: true });
  return null;
}

/**
 * Whether `line` holds a row and is not blank. Nearly all begin with a brace, and then the rest is not looked at; with
 * OR, the engine tries now and then whether the other side is the cheaper one, and trims all lines.
 */
export const rowLineSql = `CASE WHEN starts_with(line, '{') THEN true ELSE strlen(trim(line, ' \t\r')) > 0 END`;

/** Each line of a file as a row with one column `line`; blank ones are NULL. A control character is in no JSON. */
export function csvLinesSql(engine: Engine, path: string, longestLineBytes: number): string {
  return (
    `read_csv(${engine.fileSql(path)}, auto_detect = false, header = false, delim = '\x01', quote = '', escape = '', ` +
    `comment = '', columns = {'line': 'VARCHAR'}, hive_partitioning = false, ` +
    `max_line_size = ${Math.max(2 << 20, longestLineBytes + 1024)})`
  );
}

/** Cleaned lines of the wanted rows go to slice files, and from there into a part each. */
async function writeSlices(
  place: PartPlace,
  bodies: readonly Body[],
  runs: readonly RowRun[],
  longest: number,
): Promise<WrittenPart[]> {
  const parts: WrittenPart[] = [];
  const partBytes = place.partBytesMax ?? partBytesDefault;
  const bytesMax = longest > csvLineBytesMax ? Math.min(longSliceBytesMax, partBytes) : partBytes;
  let slice: Slice | null = null;
  for (const body of bodies) {
    for await (const { firstRow, rows, bytes, offsets } of rawLines(body.path)) {
      const first = body.firstRow + firstRow;
      for (const [from, count] of runsWithin(runs, first, rows)) {
        for (let done = 0; done < count;) {
          slice ??= await openSlice(place);
          const start = offsets[from - first + done];
          let end = done + 1;
          while (end < count && slice.bytes + offsets[from - first + end + 1]! - start! <= bytesMax) end++;
          await slice.write(bytes.subarray(start, offsets[from - first + end]), [from + done, end - done]);
          done = end;
          if (slice.bytes >= bytesMax || done < count) {
            parts.push(await writeSlice(place, slice, longest));
            slice = null;
          }
        }
      }
    }
  }
  if (slice !== null) parts.push(await writeSlice(place, slice, longest));
  return parts;
}

interface Slice {
  readonly path: string;
  readonly weight: RowWeight;
  readonly runs: RowRun[];
  bytes: number;
  write(bytes: Uint8Array, run: RowRun): Promise<void>;
  close(): Promise<void>;
}

async function openSlice(place: PartPlace): Promise<Slice> {
  const path = await place.temporary('.jsonl');
  const stream = createWriteStream(path, { flags: 'wx', highWaterMark: 4 << 20 });
  const done = finished(stream);
  const slice: Slice = {
    path,
    weight: new RowWeight(),
    runs: [],
    bytes: 0,
    async write(bytes, run) {
      slice.bytes += bytes.length;
      slice.weight.add(run[1], bytes.length);
      const last = slice.runs.at(-1);
      if (last !== undefined && last[0] + last[1] === run[0])
        slice.runs[slice.runs.length - 1] = [last[0], last[1] + run[1]];
      else slice.runs.push(run);
      if (!stream.write(bytes)) await Promise.race([once(stream, 'drain'), done]);
    },
    async close() {
      stream.end();
      await done;
    },
  };
  return slice;
}

async function writeSlice(place: PartPlace, slice: Slice, longest: number): Promise<WrittenPart> {
  await slice.close();
  const { engine } = place;
  const rows = rowsIn(slice.runs);
  const expected = slice.bytes - rows;
  const groupBytes = slice.weight.bytesMax;
  if (longest <= csvLineBytesMax) {
    const part = await writeWholeLines(place, { ...slice, groupBytes }, longest);
    if (part !== null && part.logicalBytes === expected) return discarded(slice, part);
  }
  // What the CSV reader cannot take is split as one text; the slice is small where its lines are long.
  const output = await place.temporary('.parquet');
  await copyInGroups(
    engine,
    `SELECT unnest(string_split(content, chr(10))) AS line
     FROM (SELECT rtrim(content, chr(10)) AS content FROM read_text(${engine.fileSql(slice.path)}))`,
    output,
    lineOptions,
    groupRowsFor(groupBytes),
  );
  const written = await measure(engine, output);
  if (written.rows !== rows || written.bytes !== expected)
    throw new Error('a part does not hold the lines it was made of');
  return discarded(slice, { kind: 'lines', path: output, logicalBytes: written.bytes, runs: slice.runs });
}

async function discarded(slice: Slice, part: WrittenPart): Promise<WrittenPart> {
  await rm(slice.path, { force: true });
  return part;
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Reads the part back: its rows, and the bytes of its lines. */
async function measure(engine: Engine, path: string): Promise<{ rows: number; bytes: number }> {
  const [found] = await engine.rows<{ rows: bigint; bytes: bigint }>(
    `SELECT count(line) AS "rows", coalesce(sum(strlen(line)), 0)::BIGINT AS bytes
     FROM read_parquet(${engine.fileSql(path)}, hive_partitioning = false)`,
  );
  return { rows: Number(found!.rows), bytes: Number(found!.bytes) };
}

/** Fewer rows in a file are put into one part with those of the files beside it. */
const movedRowsMin = 1 << 17;

/** Files that are as parts are become parts as they stand; the rows of others are written, as many together as make a part. */
async function writeTypedParts(
  place: PartPlace,
  bodies: readonly Body[],
  runs: readonly RowRun[],
  bodyBytes: (body: Body) => Promise<number>,
): Promise<WrittenPart[]> {
  const parts: WrittenPart[] = [];
  let waiting: Body[] = [];
  let waitingBytes = 0;
  const write = async (): Promise<void> => {
    const wanted = waiting.flatMap((body) => runsWithin(runs, body.firstRow, body.rows));
    if (wanted.length > 0) parts.push(await writeTyped(place, waiting, wanted));
    waiting = [];
    waitingBytes = 0;
  };
  for (const body of bodies) {
    const wanted = runsWithin(runs, body.firstRow, body.rows);
    const mayMove = body.kind === 'typed' && body.mayMove === true && rowsIn(wanted) === body.rows;
    if (mayMove && (body.rows >= movedRowsMin || bodies.length === 1)) {
      await write();
      const output = await place.temporary('.parquet');
      await rename(body.path, output);
      parts.push(await typedPart(place.engine, output, wanted));
      continue;
    }
    waiting.push(body);
    waitingBytes += await bodyBytes(body);
    if (waitingBytes >= (place.partBytesMax ?? partBytesDefault)) await write();
  }
  await write();
  return parts;
}

async function writeTyped(place: PartPlace, bodies: readonly Body[], runs: readonly RowRun[]): Promise<WrittenPart> {
  const { engine, schema } = place;
  const rowName = freeName(schema, 'holdout_row');
  const row = quoteIdentifier(rowName);
  const selects: string[] = [];
  let rowBytes = 0;
  for (const [index, body] of bodies.entries()) {
    const wanted = runsWithin(runs, body.firstRow, body.rows);
    if (wanted.length === 0) continue;
    const size = await measureParquet(engine, body.path);
    rowBytes = Math.max(rowBytes, size.bytes / size.rows);
    const file: RowFile = { kind: 'typed', path: body.path, rows: body.rows, logicalBytes: 0, schema };
    const select = `SELECT * EXCLUDE (${row}) FROM (${fileRowsSql(engine, file, schema, rowName)})`;
    if (rowsIn(wanted) === body.rows) selects.push(select);
    else {
      // A bitmap keeps the order of the rows, which a join would not.
      const variable = `holdout_rows_${index}`;
      await engine.run(`SET VARIABLE ${variable} = '${bitText(wanted, body)}'::BIT`);
      selects.push(`${select} WHERE get_bit(getvariable('${variable}'), ${row}::INTEGER) = 1`);
    }
  }
  const output = await place.temporary('.parquet');
  await copyInGroups(engine, selects.join(' UNION ALL '), output, options, groupRowsOf(rowBytes));
  return typedPart(engine, output, runs);
}

async function typedPart(engine: Engine, output: string, runs: readonly RowRun[]): Promise<WrittenPart> {
  const { rows, bytes } = await measureParquet(engine, output);
  if (rows !== rowsIn(runs)) throw new Error('a part does not hold the rows it was made of');
  return { kind: 'typed', path: output, logicalBytes: bytes, runs };
}

function bitText(runs: readonly RowRun[], body: Body): string {
  const bits = Buffer.alloc(body.rows, '0');
  for (const [from, rows] of runs) bits.fill('1', from - body.firstRow, from - body.firstRow + rows);
  return bits.toString('latin1');
}
