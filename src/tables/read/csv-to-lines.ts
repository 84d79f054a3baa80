/**
 * Writes a CSV or TSV file as JSON Lines, one object a record, so that one path serves all text formats. Columns are
 * text unless types are declared or proposed.
 * @module
 */
import type { TableSchema } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { checkNames } from '../types/column-names.ts';
import { typeName } from '../types/stored-type.ts';
import { cellWriter, countCell } from './csv-cells.ts';
import type { CellKinds } from './csv-cells.ts';
import { fieldPlace, fieldText, visitCsvRecords } from './csv-records.ts';
import type { CsvRecord } from './csv-records.ts';
import { LineIndex } from './line-index.ts';
import { LineWriter } from './line-writer.ts';
import type { CountBytes } from './unpack.ts';

/** Where the file is, and how it is called in messages. */
export interface CsvFile {
  readonly path: string;
  readonly name: string;
  readonly delimiter: ',' | '\t';
  readonly count: CountBytes;
}

/**
 * The header's names.
 * @throws HoldoutError `INPUT_INVALID` when the file is empty, or a name is empty or stands twice.
 */
export async function readCsvHeader(file: CsvFile): Promise<string[]> {
  const done = new Error('header read');
  let names: string[] | undefined;
  await visitCsvRecords(file.path, { ...file, count: () => {} }, (record) => {
    names = headerNames(record, file.name);
    throw done;
  }).catch((cause: unknown) => {
    if (cause !== done) throw cause;
  });
  if (names === undefined) {
    throw new HoldoutError('INPUT_INVALID', 'the file is empty: not even a header stands in it', { file: file.name });
  }
  return names;
}

/** Adds what the cells of each column are to `cells`, by column name. */
export async function countCsvCells(file: CsvFile, cells: Map<string, CellKinds>): Promise<void> {
  let columns: CellKinds[] | undefined;
  await visitCsvRecords(file.path, file, (record) => {
    if (columns === undefined) {
      columns = headerNames(record, file.name).map((name) => {
        const kinds = cells.get(name) ?? { values: 0, integers: 0, longIntegers: 0, floats: 0, truths: 0 };
        cells.set(name, kinds);
        return kinds;
      });
      return;
    }
    checkWidth(record, columns.length, file.name);
    for (const [index, column] of columns.entries()) {
      if (!isNull(record, index)) countCell(column, fieldText(record, index), record.quoted[index] === true);
    }
  });
}

/**
 * Writes the records as JSON Lines under a schema, which names every column of the header.
 * @returns where each row began in the file.
 * @throws HoldoutError `INPUT_INVALID` with line and column name for a cell that is not of its type.
 */
export async function writeCsvAsLines(file: CsvFile, schema: TableSchema, spoolPath: string): Promise<LineIndex> {
  const target = new LineWriter(spoolPath);
  const lines = new LineIndex();
  const types = new Map(schema.columns.map((column) => [column.name, column.type]));
  let columns: { key: string; name: string; write: (text: string) => string | null }[] | undefined;
  try {
    await visitCsvRecords(file.path, file, async (record) => {
      if (columns === undefined) {
        columns = headerNames(record, file.name).map((name) => {
          const type = types.get(name);
          if (type === undefined) throw new TypeError(`the schema has no column "${name}"`);
          return { key: `${JSON.stringify(name)}:`, name, write: cellWriter(type) };
        });
        return;
      }
      checkWidth(record, columns.length, file.name);
      const members: string[] = [];
      for (const [index, column] of columns.entries()) {
        if (isNull(record, index)) continue;
        const text = fieldText(record, index);
        const value = column.write(text);
        if (value === null) {
          throw new HoldoutError(
            'INPUT_INVALID',
            `column "${column.name}": ${shorten(text)} is not written as ${typeName(types.get(column.name) ?? 'VARCHAR')}`,
            { file: file.name, line: record.line, hint: 'Mend the cell, or declare the column as VARCHAR.' },
          );
        }
        members.push(column.key + value);
      }
      lines.push(record.line);
      await target.write(`{${members.join(',')}}\n`);
    });
    await target.close();
  } catch (cause) {
    target.abandon();
    throw cause;
  }
  return lines;
}

function headerNames(record: CsvRecord, name: string): string[] {
  const names = Array.from({ length: record.count }, (_, index) => fieldText(record, index));
  const problem = checkNames(names);
  if (problem !== null) {
    throw new HoldoutError('INPUT_INVALID', `the header: ${problem}`, {
      file: name,
      line: record.line,
      hint: 'The first line must name every column, each differently.',
    });
  }
  return names;
}

function checkWidth(record: CsvRecord, expected: number, name: string): void {
  if (record.count === expected) return;
  throw new HoldoutError(
    'INPUT_INVALID',
    `${record.count} field${record.count === 1 ? '' : 's'}, where the header names ${expected}`,
    {
      file: name,
      // The first field too many, or where the next one is missing.
      ...fieldPlace(record, expected),
      hint: 'A field that holds the delimiter must be quoted.',
    },
  );
}

function isNull(record: CsvRecord, index: number): boolean {
  return record.quoted[index] !== true && record.starts[index] === record.ends[index];
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
