/**
 * Casts between stored types, written out member by member: the engine's own cast of a struct goes by position or
 * fails where a member is new.
 * @module
 */
import type { ColumnType } from '../../../schemas/table-schema.ts';
import { quoteIdentifier, quoteString } from '../../identity/sql-text.ts';
import { sqlType } from '../sql-types.ts';
import { sameType } from './widen-schema.ts';

/** A value of one type as another that holds it. */
export function castValueSql(x: string, from: ColumnType, to: ColumnType, level = 0): string {
  if (sameType(from, to)) return x;
  if (to === 'JSON' && from !== 'NULL') return `to_json(${x})`;
  const item = `c${level}`;
  if (typeof from === 'object' && typeof to === 'object') {
    if ('list' in from && 'list' in to) {
      const inner = castValueSql(item, from.list, to.list, level + 1);
      return `list_transform(${x}, lambda ${item}: ${inner})::${sqlType(to)}`;
    }
    if ('map' in from && 'map' in to) {
      const key = castValueSql(`${item}.key`, from.map.key, to.map.key, level + 1);
      const value = castValueSql(`${item}.value`, from.map.value, to.map.value, level + 1);
      const entries = `list_transform(map_entries(${x}), lambda ${item}: struct_pack(k := ${key}, v := ${value}))`;
      return `map_from_entries(${entries})::${sqlType(to)}`;
    }
    if ('struct' in from && 'struct' in to) {
      const sources = new Map(from.struct.map((member) => [member.name, member.type]));
      const members = to.struct.map((member) => {
        const source = sources.get(member.name);
        const value =
          source === undefined
            ? `NULL::${sqlType(member.type)}`
            : castValueSql(`struct_extract(${x}, ${quoteString(member.name)})`, source, member.type, level + 1);
        return `${quoteIdentifier(member.name)} := ${value}`;
      });
      return `CASE WHEN ${x} IS NULL THEN NULL ELSE struct_pack(${members.join(', ')}) END`;
    }
  }
  return `${x}::${sqlType(to)}`;
}
