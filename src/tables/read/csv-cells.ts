/**
 * What a CSV cell means: the grammar of each type, and the type that all cells of a column would fit
 * (`--infer`). A cell is null where it is empty and not quoted.
 * @module
 */
import type { ColumnType } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { canonicalJsonText } from '../../identity/json-value.ts';

const integer = /^-?(?:0|[1-9][0-9]*)$/;
const float = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const truth = /^(?:true|True|TRUE|false|False|FALSE)$/;

/** JSON text of a cell under a type; null when the cell is not written as that type is. */
export type CellWriter = (text: string) => string | null;

/** How cells of a declared type become JSON. Types that JSON lacks stay strings here and are converted later. */
export function cellWriter(type: ColumnType): CellWriter {
  if (typeof type === 'object' && !('decimal' in type)) return jsonCell;
  switch (type) {
    case 'BOOLEAN':
      return (text) => (truth.test(text) ? text.toLowerCase() : null);
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'UTINYINT':
    case 'USMALLINT':
    case 'UINTEGER':
    case 'UBIGINT':
      return (text) => (integer.test(text) ? text : null);
    case 'FLOAT':
    case 'DOUBLE':
      return (text) => (float.test(text) || ['NaN', 'Infinity', '-Infinity'].includes(text) ? text : null);
    case 'JSON':
      return jsonCell;
    default:
      return typeof type === 'object' && type.decimal[1] === 0
        ? (text) => (integer.test(text) ? text : null)
        : JSON.stringify;
  }
}

/** A JSON text in a cell. Line ends stand between its tokens only, so blanks may take their place. */
function jsonCell(text: string): string | null {
  try {
    canonicalJsonText(text);
  } catch (cause) {
    if (cause instanceof HoldoutError) return null;
    throw cause;
  }
  return text.replaceAll(/[\r\n]/g, ' ');
}

/** What the cells of one column were, as a set of bits. */
export interface CellKinds {
  values: number;
  integers: number;
  /** Integers that a double may not hold. */
  longIntegers: number;
  floats: number;
  truths: number;
}

/** Counts a cell that is not null. Quoted cells are text by the writer's own word. */
export function countCell(kinds: CellKinds, text: string, quoted: boolean): void {
  kinds.values++;
  if (quoted) return;
  if (text === '-0') return;
  const digits = text.startsWith('-') ? text.length - 1 : text.length;
  if (integer.test(text)) {
    if (digits <= 18) kinds.integers++;
    if (digits > 15) kinds.longIntegers++;
  } else if (float.test(text) && isPlainFloat(text)) kinds.floats++;
  else if (truth.test(text)) kinds.truths++;
}

/** The type that every cell of a column is written as; text where they differ. */
export function proposedType(kinds: CellKinds): ColumnType {
  const { values, integers, longIntegers, floats, truths } = kinds;
  if (values === 0) return 'VARCHAR';
  if (integers === values) return 'BIGINT';
  if (truths === values) return 'BOOLEAN';
  if (floats > 0 && longIntegers === 0 && integers + floats === values) return 'DOUBLE';
  return 'VARCHAR';
}

/** A decimal of at most 15 digits, which every double gives back; more digits are a label or a decimal, not a float. */
function isPlainFloat(text: string): boolean {
  const digits = text
    .replace(/[eE].*$/, '')
    .replaceAll(/[-.]/g, '')
    .replace(/^0+/, '');
  return digits.length <= 15 && Number.isFinite(Number(text));
}
