/**
 * Looks at a Parquet file before it is read: is it whole, and does it hold only what the engine reads exactly?
 * @module
 */
import { open } from 'node:fs/promises';
import type { Engine } from '../../engine/engine.ts';
import { HoldoutError } from '../../errors.ts';
import { checkNames } from '../types/column-names.ts';
import { refusedType } from '../types/stored-type.ts';
import { readError } from './unpack.ts';

interface SchemaElement {
  readonly name: string;
  readonly type: string | null;
  readonly num_children: bigint | null;
  readonly converted_type: string | null;
  readonly logical_type: string | null;
  readonly precision: bigint | null;
}

/**
 * Checks a Parquet file.
 * @throws HoldoutError `INPUT_INVALID` for a cut or encrypted file, types that would be read inexactly, and names that
 * the engine would change.
 */
export async function checkParquet(engine: Engine, path: string, name: string): Promise<void> {
  await checkEnds(path, name);
  const elements = await engine
    .rows<SchemaElement>(
      `SELECT name, type, num_children, converted_type, logical_type, precision FROM parquet_schema(${engine.fileSql(path)})`,
    )
    .catch((cause: unknown) => {
      throw parquetError(cause, name);
    });
  try {
    readChildren(elements, 0);
  } catch (cause) {
    if (!(cause instanceof HoldoutError)) throw cause;
    throw new HoldoutError(cause.code, cause.message, {
      file: name,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    });
  }
}

/** An error of the engine while it reads a Parquet file, in terms of that file. */
export function parquetError(cause: unknown, name: string): unknown {
  if (!(cause instanceof HoldoutError) || !['IO', 'INPUT_INVALID'].includes(cause.code)) return cause;
  if (cause.place.file !== undefined) return cause;
  return new HoldoutError(
    'INPUT_INVALID',
    `the Parquet file cannot be read: ${cause.message.replace(/"[^"]*"/g, 'it')}`,
    {
      file: name,
      hint: 'It is damaged or cut: write or copy it again.',
      cause,
    },
  );
}

/** An error of the engine while it encodes the rows of a file: it is about a value in it. */
export function encodingError(cause: unknown, name: string): unknown {
  if (!(cause instanceof HoldoutError) || cause.code !== 'INPUT_INVALID' || cause.place.file !== undefined)
    return cause;
  return new HoldoutError('INPUT_INVALID', `a value cannot be held exactly: ${cause.message}`, {
    file: name,
    hint: 'Mend the value, or leave its column out.',
    cause,
  });
}

async function checkEnds(path: string, name: string): Promise<void> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw readError(path, cause);
  });
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(4);
    if (size >= 12) await file.read(tail, 0, 4, size - 4);
    if (tail.toString('latin1') === 'PARE') {
      throw new HoldoutError('INPUT_INVALID', 'encrypted Parquet files are not read', { file: name });
    }
    if (tail.toString('latin1') !== 'PAR1') {
      throw new HoldoutError('INPUT_INVALID', 'the Parquet file is cut: its end is missing', {
        file: name,
        hint: 'Write or copy it again; a writer must be closed for the end to be written.',
      });
    }
  } finally {
    await file.close();
  }
}

/** Walks the flattened schema from an element; returns the index behind it. */
function readChildren(elements: readonly SchemaElement[], at: number): number {
  const parent = elements[at];
  const count = Number(parent?.num_children ?? 0);
  const names: string[] = [];
  let next = at + 1;
  for (let child = 0; child < count; child++) {
    const element = elements[next];
    if (element === undefined) throw new HoldoutError('INPUT_INVALID', 'the Parquet schema is damaged');
    names.push(element.name);
    checkElement(element);
    next = readChildren(elements, next);
  }
  const problem = checkNames(names);
  if (problem !== null) {
    throw new HoldoutError('INPUT_INVALID', at === 0 ? problem : `column "${parent?.name ?? ''}": ${problem}`);
  }
  return next;
}

function checkElement({ name, type, converted_type, logical_type, precision }: SchemaElement): void {
  if (type === 'INT96') {
    throw new HoldoutError(
      'INPUT_INVALID',
      `column "${name}" is an INT96 timestamp, an old form of uncertain meaning`,
      {
        hint: 'Write timestamps in microseconds, in Spark: spark.sql.parquet.outputTimestampType=TIMESTAMP_MICROS.',
      },
    );
  }
  const decimal = /DECIMAL/i.test(converted_type ?? '') || /Decimal/i.test(logical_type ?? '');
  const digits = Math.max(Number(precision ?? 0), Number(/precision=(\d+)/.exec(logical_type ?? '')?.[1] ?? 0));
  if (decimal && digits > 38) throw refusedType(`DECIMAL of ${digits} digits`, name);
  if (
    /Timestamp/i.test(logical_type ?? '') &&
    /isAdjustedToUTC=(?:1|true)/i.test(logical_type ?? '') &&
    /NANOS=NanoSeconds/i.test(logical_type ?? '')
  ) {
    throw new HoldoutError(
      'INPUT_INVALID',
      `column "${name}" is a zoned timestamp in nanoseconds, which would be cut`,
      {
        hint: 'Write it in microseconds, in pandas: to_parquet(…, coerce_timestamps="us").',
      },
    );
  }
}
