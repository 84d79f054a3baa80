import { describe, expect, it } from 'vitest';
import { formatColumn, parseSchemaText } from '../../dist/src/tables/types/type-text.js';

const read = (text: string): string => parseSchemaText(text, '--schema').columns.map(formatColumn).join(', ');

describe('the notation of schemas', () => {
  it.each([
    'a BIGINT',
    'id BIGINT, tags VARCHAR[], meta STRUCT(lang VARCHAR, score DECIMAL(6, 3))',
    '"a b" MAP(VARCHAR, DOUBLE[][]), "say ""hi""" JSON',
  ])('is written as it is read: %s', (text) => {
    expect(read(text)).toBe(text);
  });

  it('takes the names that other tools use', () => {
    expect(read('a int, b text, c hugeint, d numeric(4), e bool')).toBe(
      'a INTEGER, b VARCHAR, c DECIMAL(38, 0), d DECIMAL(4, 0), e BOOLEAN',
    );
  });

  it.each([
    ['a', 'expected a name or a type at the end'],
    ['a BIGINT b', 'expected a comma or the end near "b"'],
    ['a BIGINT, a BIGINT', 'column "a" stands twice'],
    ['a DECIMAL(40)', '1 … 38 digits'],
    ['a STRUCT(b)', 'unknown type )'],
    [`a ${'STRUCT(a '.repeat(70)}`, 'nested deeper than 64'],
  ])('refuses %s', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
