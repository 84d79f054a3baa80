/**
 * The small template language of steps that write text: `{column}` stands for a value of the row, `{column.field}` for a
 * field of a struct, `{{` and `}}` for braces; `{?column}…{/column}` stands only where the value is neither null nor an
 * empty text, `{^column}…{/column}` only where it is. A template becomes one SQL expression, so that rows are rendered where
 * they are read.
 * @module
 */
import { z } from 'zod';
import type { Column, ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import { unknownColumn } from '../engine/scalar-expression.ts';
import { HoldoutError } from '../errors.ts';
import { JSON_CANONICAL_FUNCTION } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier, quoteString } from '../identity/sql-text.ts';
import { jsonValueSql } from '../tables/json-text-sql.ts';
import { isIntegerType, sqlType } from '../tables/sql-types.ts';

/** A stretch of a template: text as it stands, the value of a column, or parts that stand only by such a value. */
export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly path: string }
  | {
      readonly kind: 'section';
      readonly path: string;
      /** Whether the parts stand where there is a value, or where there is none. */
      readonly filled: boolean;
      readonly parts: readonly TemplatePart[];
    };

/** What becomes of a null value: nothing in its place, or the whole text is null. */
export type TemplateNulls = 'empty' | 'whole';

/** Characters that a template may have. */
const templateCharactersMax = 100_000;
/** Sections inside sections. */
const sectionsMax = 20;

/** A template as a parameter of a step: what is wrong with it is said when parameters are checked. */
export const templateText = z
  .string()
  .max(templateCharactersMax)
  .superRefine((text, context) => {
    try {
      parseTemplate(text);
    } catch (error) {
      if (!(error instanceof HoldoutError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/**
 * The parts of a template.
 * @throws HoldoutError `USAGE` with line and character for a brace or a section without its other half.
 */
export function parseTemplate(template: string): readonly TemplatePart[] {
  if (template.includes('\0')) throw new HoldoutError('USAGE', 'a template cannot hold a NUL character');
  if (/\p{Surrogate}/u.test(template)) throw new HoldoutError('USAGE', 'a template cannot hold half of a character');
  let parts: TemplatePart[] = [];
  const open: {
    readonly parts: TemplatePart[];
    readonly path: string;
    readonly filled: boolean;
    readonly at: number;
  }[] = [];
  let text = '';
  for (let at = 0; at < template.length; at++) {
    const brace = template[at]!;
    if (brace !== '{' && brace !== '}') text += brace;
    else if (template[at + 1] === brace) {
      text += brace;
      at++;
    } else {
      const end = brace === '{' ? template.indexOf('}', at) : -1;
      const path = template.slice(at + 1, end);
      if (end < 0 || path === '' || path.includes('{')) {
        const says = end < 0 || path.includes('{') ? `"${brace}" stands alone` : '"{}" names no column';
        throw new HoldoutError('USAGE', `${says} ${placeOf(template, at)}; write "${brace}${brace}" for a brace`);
      }
      if (text !== '') parts.push({ kind: 'text', text });
      text = '';
      const sign = path[0]!;
      const name = path.slice(1);
      if (sign === '?' || sign === '^') {
        if (open.length === sectionsMax)
          throw new HoldoutError('USAGE', `more than ${sectionsMax} sections in each other`);
        open.push({ parts, path: name, filled: sign === '?', at });
        parts = [];
      } else if (sign === '/') {
        const section = open.pop();
        if (section?.path !== name) {
          const expected = section === undefined ? 'no section is open' : `"{/${section.path}}" is expected`;
          throw new HoldoutError('USAGE', `"{/${name}}" ${placeOf(template, at)}: ${expected}`);
        }
        section.parts.push({ kind: 'section', path: name, filled: section.filled, parts });
        ({ parts } = section);
      } else parts.push({ kind: 'value', path });
      at = end;
    }
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) {
    throw new HoldoutError(
      'USAGE',
      `"{/${unclosed.path}}" is missing for the section ${placeOf(template, unclosed.at)}`,
    );
  }
  if (text !== '') parts.push({ kind: 'text', text });
  return parts;
}

/**
 * A VARCHAR expression over the columns of the schema: the text that a template gives for a row.
 * @throws HoldoutError `USAGE` for a column or field that is not there.
 */
export function templateSql(template: string, schema: TableSchema, nulls: TemplateNulls): string {
  return partsSql(parseTemplate(template), schema, nulls);
}

function partsSql(parts: readonly TemplatePart[], schema: TableSchema, nulls: TemplateNulls): string {
  const texts = parts.map((part) => {
    if (part.kind === 'text') return quoteString(part.text);
    if (part.kind === 'value') return `(${pathText(part.path, schema)})`;
    const empty = `coalesce(${pathText(part.path, schema)}, '') = ''`;
    const stands = part.filled ? `NOT (${empty})` : empty;
    return `(CASE WHEN ${stands} THEN ${partsSql(part.parts, schema, nulls)} ELSE '' END)`;
  });
  if (texts.length === 0) return "''";
  // `concat` skips what is null, `||` gives null for it.
  return nulls === 'empty' ? `concat(${texts.join(', ')})` : `(${texts.join(' || ')})`;
}

/** The columns that a template names, those that decide on a section among them; a path of fields by its first name. */
export function templateColumns(template: string, { columns }: TableSchema): readonly string[] {
  const paths: string[] = [];
  const visit = (parts: readonly TemplatePart[]): void => {
    for (const part of parts) {
      if (part.kind !== 'text') paths.push(part.path);
      if (part.kind === 'section') visit(part.parts);
    }
  };
  visit(parseTemplate(template));
  const named = new Set(paths.flatMap((path) => [path, path.split('.', 1)[0]!]));
  return columns.flatMap(({ name }) => (named.has(name) ? [name] : []));
}

/** The text of the value that a path names. A column whose name holds a point goes before a field. */
function pathText(path: string, { columns }: TableSchema): string {
  const whole = columns.find(({ name }) => name === path);
  if (whole !== undefined) return valueText(whole.type, quoteIdentifier(path));
  const [first = '', ...fields] = path.split('.');
  let found = memberNamed(columns, first);
  let sql = quoteIdentifier(first);
  for (const field of fields) {
    if (typeof found.type !== 'object' || !('struct' in found.type)) {
      throw new HoldoutError('USAGE', `"${path}": "${found.name}" holds ${sqlType(found.type)}, which has no fields`);
    }
    found = memberNamed(found.type.struct, field);
    sql = `struct_extract(${sql}, ${quoteString(field)})`;
  }
  return valueText(found.type, sql);
}

function memberNamed(members: readonly Column[], name: string): Column {
  const found = members.find((member) => member.name === name);
  if (found !== undefined) return found;
  throw unknownColumn(
    name,
    members.map((member) => member.name),
  );
}

/** Whether SQL's own text of a value is its canonical JSON without quotes. */
function isPlain(type: ColumnType): boolean {
  if (typeof type === 'object') return 'decimal' in type;
  return isIntegerType(type) || ['NULL', 'VARCHAR', 'UUID', 'BOOLEAN'].includes(type);
}

/** A value as text: text as it is, everything else as its canonical JSON, without the quotes of a string. */
function valueText(type: ColumnType, x: string): string {
  if (isPlain(type)) return `(${x})::VARCHAR`;
  const json = `${JSON_CANONICAL_FUNCTION}(${jsonValueSql(type, x)})`;
  const text = `CASE WHEN starts_with(${json}, '"') THEN json_extract_string(${json}, '$') ELSE ${json} END`;
  return `CASE WHEN (${x}) IS NULL THEN NULL ELSE ${text} END`;
}

function placeOf(template: string, at: number): string {
  const lines = template.slice(0, at).split('\n');
  const character = Array.from(lines.at(-1) ?? '').length + 1;
  return lines.length === 1 ? `at character ${character}` : `in line ${lines.length}, at character ${character}`;
}
