/**
 * One schema for all files of a table: what was seen in them, held against what is declared or was there before.
 * @module
 */
import type { TableSchema } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { mergeInferred } from '../json-scan/inferred.ts';
import type { InferredSchema } from '../json-scan/inferred.ts';
import { toTableSchema } from '../json-scan/schema.ts';
import { conformsTo, widen } from '../json-scan/widen.ts';
import { checkNames } from '../types/column-names.ts';
import { refuseDeepLists } from '../types/list-levels.ts';
import { mergeSchemas, widenSchema } from '../types/widen-schema.ts';
import type { WidenedSchema } from '../types/widen-schema.ts';

/** What one file says of its rows: values seen, or types given by the format, or both. */
export interface SeenFile {
  readonly label: string;
  readonly inferred: InferredSchema | null;
  readonly given: TableSchema | null;
}

/** Which schema what was seen has to fit. */
export interface Expected {
  readonly schema?: TableSchema | undefined;
  readonly previousSchema?: TableSchema | undefined;
}

/**
 * The schema of the table.
 * @throws HoldoutError `INPUT_INVALID` when the files disagree; `LIMIT` for declared types that nest too deep; `CONFLICT` when they fit no wider form of what was there.
 */
export function resolveSchema(files: readonly SeenFile[], expected: Expected): WidenedSchema {
  if (expected.schema !== undefined) refuseDeepLists(expected.schema);
  const notes: string[] = [];
  let schema = expected.schema ?? expected.previousSchema ?? null;
  const free = files.filter((file) => file.given === null && file.inferred !== null);
  const freeInferred = free.map((file) => file.inferred as InferredSchema);
  const inferred = freeInferred.length === 0 ? null : freeInferred.reduce(mergeInferred);
  let inferredUsed = false;
  for (const file of files) {
    if (file.given !== null) {
      const { given } = file;
      if (schema === null) schema = given;
      else if (expected.schema !== undefined || expected.previousSchema !== undefined) {
        const widened = inFile(file.label, () => widenSchema(schema as TableSchema, given));
        schema = widened.schema;
        notes.push(...widened.notes);
      } else schema = mergeSchemas(schema, given, file.label);
    } else if (inferred !== null && !inferredUsed) {
      inferredUsed = true;
      if (schema === null) schema = toTableSchema(inferred);
      else if (expected.schema !== undefined || expected.previousSchema !== undefined) {
        const widened = widen(schema, inferred);
        schema = widened.schema;
        notes.push(...widened.changes);
      } else schema = mergeSchemas(schema, toTableSchema(inferred), file.label);
    }
  }
  const found: TableSchema = schema ?? { type: 'holdout/schema@1', columns: [] };
  if (expected.schema !== undefined && JSON.stringify(found) !== JSON.stringify(expected.schema)) {
    throw new HoldoutError('CONFLICT', `the files do not fit the declared schema: ${notes[0] ?? 'other columns'}`, {
      ...(files.length === 1 && files[0] !== undefined ? { file: files[0].label } : {}),
      hint: 'Mend the schema or the data; declared types are never widened by themselves.',
    });
  }
  const problem = checkNames(found.columns.map((column) => column.name));
  if (problem !== null) throw new HoldoutError('INPUT_INVALID', problem);
  for (const file of files) if (file.inferred !== null) mustConform(file, file.inferred, found);
  return { schema: found, notes: [...new Set(notes)] };
}

/** A schema that several files share may be wider than one file's values allow, for example DOUBLE over big integers. */
function mustConform(file: SeenFile, inferred: InferredSchema, schema: TableSchema): void {
  if (conformsTo(inferred, schema)) return;
  let says = 'its values do not fit the types of the table';
  try {
    says = `${says}: ${widen(schema, inferred).changes[0] ?? ''}`;
  } catch (cause) {
    if (!(cause instanceof HoldoutError)) throw cause;
    says = cause.message;
  }
  throw new HoldoutError('CONFLICT', says, {
    file: file.label,
    hint: 'Integers past 2^53 and fractions share no column; declare the types with --schema, or mend the data.',
  });
}

function inFile<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (!(cause instanceof HoldoutError) || cause.place.file !== undefined) throw cause;
    throw new HoldoutError(cause.code, cause.message, {
      file,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    });
  }
}
