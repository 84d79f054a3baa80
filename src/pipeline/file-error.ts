/**
 * What goes wrong with a dataset of files, said with its place in the pipeline file.
 * @module
 */
import type { FieldRoles } from '../../schemas/records.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { wrongFields } from '../leakage/fields.ts';
import type { FileNode } from './pipeline.ts';
import { placedAt } from './step-error.ts';

/**
 * The error with line and column of the file that it is about, else of the dataset. One that names a place in the data,
 * or in the pipeline file, keeps that one.
 */
export function atFiles({ file, files, place, places }: FileNode, error: unknown): unknown {
  if (!(error instanceof HoldoutError) || error.code === 'INTERRUPTED' || error.place.line !== undefined) return error;
  const named = files.findIndex((each) => each === error.place.file);
  const at = error.place.file === undefined ? place : places.files[Math.max(0, named)]!;
  return placedAt(error, file, at, '');
}

/**
 * Checks the roles of columns against the columns.
 * @throws HoldoutError INPUT_INVALID with the place of the role in the pipeline file
 */
export function checkFieldsOf({ file, places }: FileNode, schema: TableSchema, fields: FieldRoles): void {
  const wrong = wrongFields(schema, fields);
  if (wrong === null) return;
  const { role, index, message, hint } = wrong;
  const place = places.fields[role]?.[index] ?? places.files[0]!;
  throw new HoldoutError('INPUT_INVALID', message, { file, ...place, hint });
}
