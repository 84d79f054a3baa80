/**
 * Which of our types holds an Arrow type, and which Arrow types are refused.
 * @module
 */
import { DataType, Precision, TimeUnit } from 'apache-arrow';
import type { Field } from 'apache-arrow';
import type { ColumnType, ScalarType } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { checkNames } from '../types/column-names.ts';
import { withinListLevels } from '../types/list-levels.ts';
import { refusedType } from '../types/stored-type.ts';

/**
 * The type under which a field's values are stored; the field stands inside `lists` lists and maps.
 * @throws HoldoutError `INPUT_INVALID` for a type without an exact stored form, `LIMIT` for one that nests too deep.
 */
export function arrowColumnType(field: Field, path: string = field.name, lists = 0): ColumnType {
  const extension = field.metadata.get('ARROW:extension:name');
  return typeOf(field.type as DataType, path, lists, extension);
}

/** The type of a list, map or struct on its own, whatever it stands in: `arrowColumnType` has allowed it as JSON. */
export function arrowNestedType(type: DataType): ColumnType {
  return typeOf(type, '', 0);
}

function typeOf(type: DataType, path: string, lists: number, extension?: string): ColumnType {
  if (DataType.isDictionary(type)) return typeOf(type.dictionary as DataType, path, lists, extension);
  if (DataType.isNull(type)) return 'NULL';
  if (DataType.isBool(type)) return 'BOOLEAN';
  if (DataType.isInt(type)) return `${type.isSigned ? '' : 'U'}${integerNames[type.bitWidth]}` as ScalarType;
  if (DataType.isFloat(type)) return type.precision === Precision.DOUBLE ? 'DOUBLE' : 'FLOAT';
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)) {
    return extension === 'arrow.json' ? 'JSON' : 'VARCHAR';
  }
  if (DataType.isFixedSizeBinary(type) && extension === 'arrow.uuid' && type.byteWidth === 16) return 'UUID';
  if (
    DataType.isBinary(type) ||
    DataType.isLargeBinary(type) ||
    DataType.isBinaryView(type) ||
    DataType.isFixedSizeBinary(type)
  ) {
    return 'BLOB';
  }
  if (DataType.isDecimal(type)) {
    if (type.precision > 38 || type.scale < 0 || type.scale > type.precision) {
      throw refusedType(`decimal(${type.precision}, ${type.scale})`, path);
    }
    return { decimal: [type.precision, type.scale] };
  }
  if (DataType.isDate(type)) return 'DATE';
  if (DataType.isTime(type)) return type.unit === TimeUnit.NANOSECOND ? 'TIME_NS' : 'TIME';
  if (DataType.isTimestamp(type)) {
    const zoned = typeof type.timezone === 'string' && type.timezone !== '';
    if (type.unit !== TimeUnit.NANOSECOND) return zoned ? 'TIMESTAMPTZ' : 'TIMESTAMP';
    if (!zoned) return 'TIMESTAMP_NS';
    throw new HoldoutError('INPUT_INVALID', `column "${path}" is a zoned timestamp in nanoseconds`, {
      hint: 'Cast it to microseconds, or drop the zone: zoned timestamps are held to the microsecond.',
    });
  }
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)) {
    const list = arrowColumnType(child(type.children, 0), `${path}[]`, lists + 1);
    return withinListLevels({ list }, lists, path);
  }
  if (DataType.isMap(type)) {
    const entries = child(type.children, 0).type as DataType & { children: Field[] };
    const key = arrowColumnType(child(entries.children, 0), `${path} (key)`, lists + 1);
    if (key !== 'VARCHAR') throw refusedType('a map with other keys than text', path);
    const value = arrowColumnType(child(entries.children, 1), `${path} (value)`, lists + 1);
    return withinListLevels({ map: { key, value } }, lists, path);
  }
  if (DataType.isStruct(type)) {
    const problem = checkNames(type.children.map((member) => member.name));
    if (problem !== null) throw new HoldoutError('INPUT_INVALID', `column "${path}": ${problem}`);
    if (type.children.length === 0) throw refusedType('a struct without members', path);
    return {
      struct: type.children.map((member) => ({
        name: member.name,
        type: arrowColumnType(member, `${path}.${member.name}`, lists),
      })),
    };
  }
  if (DataType.isUnion(type)) throw refusedType('UNION', path);
  if (DataType.isInterval(type) || DataType.isDuration(type)) throw refusedType('INTERVAL', path);
  throw refusedType(`Arrow type ${type.typeId}`, path);
}

/** The type that a column has where the declared one tells more: JSON in text, UUIDs in 16 bytes. */
export function adoptType(seen: ColumnType, declared: ColumnType | undefined): ColumnType {
  if (declared === undefined) return seen;
  if ((seen === 'VARCHAR' && declared === 'JSON') || (seen === 'BLOB' && declared === 'UUID')) return declared;
  if (typeof seen === 'string' || typeof declared === 'string') return seen;
  if ('list' in seen && 'list' in declared) return { list: adoptType(seen.list, declared.list) };
  if ('map' in seen && 'map' in declared) {
    return { map: { key: seen.map.key, value: adoptType(seen.map.value, declared.map.value) } };
  }
  if ('struct' in seen && 'struct' in declared) {
    const members = new Map(declared.struct.map((member) => [member.name, member.type]));
    return { struct: seen.struct.map(({ name, type }) => ({ name, type: adoptType(type, members.get(name)) })) };
  }
  return seen;
}

const integerNames: Readonly<Record<number, string>> = { 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT' };

function child(children: readonly Field[], index: number): Field {
  const found = children[index];
  if (found === undefined) throw new HoldoutError('INPUT_INVALID', 'a nested Arrow type lacks its members');
  return found;
}
