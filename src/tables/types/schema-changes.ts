/**
 * What of a table's columns is another than it was.
 * @module
 */
import type { TableSchema } from '../../../schemas/table-schema.ts';
import { typeName } from './stored-type.ts';
import { sameType } from './widen-schema.ts';

/** A sentence without its end for each column that came, went, or changed its type; none for another order. */
export function schemaChanges(before: TableSchema, now: TableSchema): readonly string[] {
  const had = new Map(before.columns.map(({ name, type }) => [name, type]));
  const changes: string[] = [];
  for (const { name, type } of now.columns) {
    const old = had.get(name);
    had.delete(name);
    if (old === undefined) changes.push(`column "${name}" is new: ${typeName(type)}`);
    else if (!sameType(old, type)) changes.push(`column "${name}" is ${typeName(type)} now, was ${typeName(old)}`);
  }
  for (const name of had.keys()) changes.push(`column "${name}" is not there any more`);
  return changes;
}
