/**
 * The schema that a person gives with `--schema`: text in DuckDB's notation, or a file with it or with a schema record.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { type TableSchema, tableSchema } from '../schemas/table-schema.ts';
import { HoldoutError } from '../src/errors.ts';
import { errnoOf } from '../src/store/io-error.ts';
import { checkValue, problemText } from '../src/value-problems.ts';
import { parseSchemaText } from '../src/tables/types/type-text.ts';

/** Reads `--schema`: a file (a schema record as JSON, or text) where one of that name stands, else the text itself. */
export async function readSchemaOption(option: string, from = '--schema'): Promise<TableSchema> {
  const fromFile = await readFile(option, 'utf8').catch((error: unknown) => {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENAMETOOLONG') return null;
    throw error;
  });
  if (fromFile === null) return parseSchemaText(option, from);
  return fromFile.trimStart().startsWith('{') ? parseSchemaJson(fromFile, option) : parseSchemaText(fromFile, option);
}

function parseSchemaJson(text: string, file: string): TableSchema {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HoldoutError('INPUT_INVALID', 'not JSON', { file, cause });
  }
  const checked = checkValue(tableSchema, value, []);
  if (checked.ok) return checked.value;
  const [wrong] = checked.problems.map((problem) => problemText(problem, 'the file'));
  throw new HoldoutError('INPUT_INVALID', `not a schema: ${wrong}`, { file });
}
