/**
 * Types and columns as people write and read them: `id BIGINT, tags VARCHAR[], meta STRUCT(lang VARCHAR, score
 * DECIMAL(6, 3))`, in DuckDB's notation.
 * @module
 */
import { type Column, type ColumnType, type TableSchema, scalarType } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';

/** Parses columns with their types. @throws HoldoutError INPUT_INVALID naming the place. */
export function parseSchemaText(text: string, from: string): TableSchema {
  const parser = new SchemaParser(text, from);
  return { type: 'holdout/schema@1', columns: parser.schema() };
}

/** Parses one type. @throws HoldoutError INPUT_INVALID naming the place. */
export function parseTypeText(text: string, from: string): ColumnType {
  return new SchemaParser(text, from).wholeType();
}

/** A type in the notation that `parseSchemaText` reads. */
export function formatType(type: ColumnType): string {
  if (typeof type === 'string') return type;
  if ('decimal' in type) return `DECIMAL(${type.decimal[0]}, ${type.decimal[1]})`;
  if ('list' in type) return `${formatType(type.list)}[]`;
  if ('map' in type) return `MAP(${formatType(type.map.key)}, ${formatType(type.map.value)})`;
  return `STRUCT(${type.struct.map(formatColumn).join(', ')})`;
}

/** A column in that notation; its name in quotes where it is no plain word. */
export function formatColumn({ name, type }: Column): string {
  const shown = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
  return `${shown} ${formatType(type)}`;
}

const aliases: Readonly<Record<string, string>> = {
  BOOL: 'BOOLEAN',
  INT: 'INTEGER',
  INT1: 'TINYINT',
  INT2: 'SMALLINT',
  INT4: 'INTEGER',
  INT8: 'BIGINT',
  LONG: 'BIGINT',
  REAL: 'FLOAT',
  FLOAT4: 'FLOAT',
  FLOAT8: 'DOUBLE',
  STRING: 'VARCHAR',
  TEXT: 'VARCHAR',
  BYTES: 'BLOB',
  BYTEA: 'BLOB',
  DATETIME: 'TIMESTAMP',
};
const nestingMax = 64;

const token = /\s*(?:("(?:[^"]|"")*")|([\p{L}_][\p{L}\p{N}_]*)|(\d+)|([()[\],]))/uy;

/** Recursive descent over the notation. */
class SchemaParser {
  private at = 0;
  private readonly text: string;
  private readonly from: string;

  constructor(text: string, from: string) {
    this.text = text;
    this.from = from;
  }

  schema(): Column[] {
    const columns = this.columns(null, 0);
    if (this.text.slice(this.at).trim() !== '') this.refuse('expected a comma or the end');
    return columns;
  }

  wholeType(): ColumnType {
    const type = this.type(0);
    if (this.text.slice(this.at).trim() !== '') this.refuse('expected the end of the type');
    return type;
  }

  private columns(end: ')' | null, depth: number): Column[] {
    const columns: Column[] = [];
    do {
      const name = this.next();
      if (!/^["\p{L}_]/u.test(name)) this.refuse('expected a column name');
      const plain = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
      if (columns.some((column) => column.name === plain)) this.refuse(`column "${plain}" stands twice`);
      columns.push({ name: plain, type: this.type(depth) });
    } while (this.take(','));
    if (end !== null) this.expect(end);
    return columns;
  }

  private type(depth: number): ColumnType {
    if (depth > nestingMax) this.refuse(`types nested deeper than ${nestingMax}`);
    let type = this.baseType(depth);
    while (this.take('[')) {
      this.expect(']');
      type = { list: type };
    }
    return type;
  }

  private baseType(depth: number): ColumnType {
    const word = this.next().toUpperCase();
    if (word === 'STRUCT') {
      this.expect('(');
      return { struct: this.columns(')', depth + 1) };
    }
    if (word === 'MAP') {
      this.expect('(');
      const key = this.type(depth + 1);
      this.expect(',');
      const value = this.type(depth + 1);
      this.expect(')');
      return { map: { key, value } };
    }
    if (word === 'DECIMAL' || word === 'NUMERIC') return { decimal: this.digits() };
    if (word === 'HUGEINT') return { decimal: [38, 0] };
    const scalar = scalarType.safeParse(aliases[word] ?? word);
    if (scalar.success) return scalar.data;
    return this.refuse(`unknown type ${word}`);
  }

  private digits(): [number, number] {
    if (!this.take('(')) return [18, 3];
    const precision = Number(this.next());
    const scale = this.take(',') ? Number(this.next()) : 0;
    this.expect(')');
    if (!(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision)) {
      this.refuse('DECIMAL takes 1 … 38 digits, and no more of them behind the point');
    }
    return [precision, scale];
  }

  private peek(): { readonly text: string; readonly end: number } | null {
    token.lastIndex = this.at;
    const match = token.exec(this.text);
    return match === null ? null : { text: match[0].trim(), end: token.lastIndex };
  }

  private next(): string {
    const found = this.peek();
    if (found === null) return this.refuse('expected a name or a type');
    this.at = found.end;
    return found.text;
  }

  private take(symbol: string): boolean {
    const found = this.peek();
    if (found?.text !== symbol) return false;
    this.at = found.end;
    return true;
  }

  private expect(symbol: string): void {
    if (!this.take(symbol)) this.refuse(`expected "${symbol}"`);
  }

  private refuse(problem: string): never {
    const near = this.text.slice(this.at).trim().slice(0, 20);
    throw new HoldoutError(
      'INPUT_INVALID',
      `${this.from}: ${problem}${near === '' ? ' at the end' : ` near "${near}"`}`,
      {
        hint: "write it like 'id BIGINT, name VARCHAR, tags VARCHAR[], meta STRUCT(lang VARCHAR)'",
      },
    );
  }
}
