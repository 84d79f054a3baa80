/**
 * Which of our types holds a DuckDB type, and which types are refused, with the remedy.
 * @module
 */
import type { ColumnType } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { sqlType } from '../sql-types.ts';
import { checkNames } from './column-names.ts';
import type { EngineType } from './engine-type.ts';
import { withinListLevels } from './list-levels.ts';

const storedScalars: Readonly<Record<string, ColumnType>> = {
  NULL: 'NULL',
  BOOLEAN: 'BOOLEAN',
  TINYINT: 'TINYINT',
  SMALLINT: 'SMALLINT',
  INTEGER: 'INTEGER',
  BIGINT: 'BIGINT',
  UTINYINT: 'UTINYINT',
  USMALLINT: 'USMALLINT',
  UINTEGER: 'UINTEGER',
  UBIGINT: 'UBIGINT',
  HUGEINT: { decimal: [38, 0] },
  UHUGEINT: { decimal: [38, 0] },
  FLOAT: 'FLOAT',
  DOUBLE: 'DOUBLE',
  VARCHAR: 'VARCHAR',
  BLOB: 'BLOB',
  UUID: 'UUID',
  DATE: 'DATE',
  TIME: 'TIME',
  TIME_NS: 'TIME_NS',
  TIMESTAMP: 'TIMESTAMP',
  TIMESTAMP_S: 'TIMESTAMP',
  TIMESTAMP_MS: 'TIMESTAMP',
  TIMESTAMP_NS: 'TIMESTAMP_NS',
  'TIMESTAMP WITH TIME ZONE': 'TIMESTAMPTZ',
  TIMESTAMPTZ: 'TIMESTAMPTZ',
  JSON: 'JSON',
};

/** What to do about a type that is refused. */
const remedies: Readonly<Record<string, string>> = {
  INTERVAL: 'Store a duration as a number of one unit, for example microseconds as BIGINT.',
  UNION: 'Store a column for each alternative, or the value as JSON text.',
  BIT: 'Store it as text or as bytes.',
  BIGNUM: 'Integers have at most 38 digits; store longer ones as text.',
  VARIANT: 'Store the value as JSON text.',
  'TIME WITH TIME ZONE': 'Store the time without a zone, or a whole timestamp.',
  GEOMETRY: 'Store it as bytes (WKB) or text (WKT).',
};

/**
 * The type under which values of a DuckDB type are stored.
 * @throws HoldoutError `INPUT_INVALID` for a type that has no canonical encoding, `LIMIT` for one that nests too deep;
 * `path` names the column, `lists` says inside how many lists and maps it stands.
 */
export function storedType(type: EngineType, path: string, lists = 0): ColumnType {
  switch (type.kind) {
    case 'scalar': {
      const stored = storedScalars[type.name];
      if (stored === undefined) throw refusedType(type.name, path);
      return stored;
    }
    case 'decimal':
      return { decimal: [type.precision, type.scale] };
    case 'list':
      return withinListLevels({ list: storedType(type.item, `${path}[]`, lists + 1) }, lists, path);
    case 'struct': {
      const problem = checkNames(type.members.map((member) => member.name));
      if (problem !== null) throw new HoldoutError('INPUT_INVALID', `column "${path}": ${problem}`);
      return {
        struct: type.members.map((member) => ({
          name: member.name,
          type: storedType(member.type, `${path}.${member.name}`, lists),
        })),
      };
    }
    case 'map': {
      const key = storedType(type.key, `${path} (key)`, lists + 1);
      if (key === 'JSON') throw refusedType('MAP keyed by JSON', path);
      const value = storedType(type.value, `${path} (value)`, lists + 1);
      return withinListLevels({ map: { key, value } }, lists, path);
    }
    case 'enum':
      return 'VARCHAR';
    default:
      throw refusedType('UNION', path);
  }
}

/** The error for a type that is refused. */
export function refusedType(name: string, path: string): HoldoutError {
  return new HoldoutError('INPUT_INVALID', `column "${path}" is of type ${name}, which has no exact stored form`, {
    hint: remedies[name] ?? 'Convert the column to text, numbers, dates, bytes, lists or structs.',
  });
}

/** A type in a few words, for messages. */
export function typeName(type: ColumnType): string {
  return type === 'NULL' ? 'only nulls' : sqlType(type);
}
