import { describe, expect, test } from 'vitest';
import type { HoldoutError } from '../../dist/src/errors.js';
import { ScanPool } from '../../dist/src/tables/json-scan/pool.js';
import { scanBytes } from './scan-text.ts';

async function refusal(
  content: Uint8Array | string,
  options: Parameters<typeof scanBytes>[1] = {},
): Promise<HoldoutError> {
  try {
    await scanBytes(content, options);
  } catch (error) {
    return error as HoldoutError;
  }
  throw new Error('nothing was refused');
}

const rowOf = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"c${i}":1`).join(',')}}\n`;
const nested = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
const bytes = (...parts: readonly (string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

/** [what is wrong, the line, column of the refusal, what the message says] */
const malformed: readonly (readonly [string, Uint8Array | string, number, RegExp])[] = [
  ['a number for a row', '5', 1, /no JSON object/],
  ['null for a row', 'null', 1, /no JSON object/],
  ['a list for a row', ' [1]', 2, /no JSON object/],
  ['a string for a row', '"s"', 1, /no JSON object/],
  ['a line that is cut', '{"a":1', 7, /ends too early.*"," or "}"/],
  ['a string that is cut', '{"é":"abc', 10, /^the line ends inside a string$/],
  ['a second object on the line', '{"a":1} {"a":2}', 9, /something follows/],
  ['a comma before the end of an object', '{"a":1,}', 8, /member name/],
  ['a comma before the end of a list', '{"a":[1,]}', 9, /value is expected/],
  ['a missing comma', '{"a":[1 2]}', 9, /"," or "\]"/],
  ['a missing colon', '{"a" 1}', 6, /":"/],
  ['a missing value', '{"a":}', 6, /value is expected/],
  ['a bare name', '{a:1}', 2, /member name/],
  ['single quotes', "{'a':1}", 2, /member name/],
  ['a comment', '{"a":1/*x*/}', 7, /"," or "}"/],
  ['a word that is none', '{"a":nul}', 6, /value is expected/],
  ['a word with a tail', '{"a":truely}', 10, /"," or "}"/],
  ['a form feed', '{"a":1}\f', 8, /something follows/],
  ['NUL behind the row', '{"a":1}\0', 8, /something follows/],
  ['a leading zero', '{"a":01}', 6, /not a JSON number/],
  ['a leading plus', '{"a":+1}', 6, /value is expected/],
  ['a number that ends in a point', '{"a":1.}', 6, /not a JSON number/],
  ['a number that begins with a point', '{"a":.5}', 6, /value is expected/],
  ['an exponent without digits', '{"a":1e}', 6, /not a JSON number/],
  ['a lone minus', '{"a":-}', 6, /not a JSON number/],
  ['-NaN', '{"a":-NaN}', 6, /not a JSON number/],
  ['Inf', '{"a":Inf}', 6, /not a JSON number/],
  ['hexadecimal', '{"a":0x1F}', 7, /"," or "}"/],
  ['39 digits', `{"a":${'1'.repeat(39)}}`, 6, /38 digits/],
  ['a float past the largest', '{"a":[1e309]}', 7, /too large/],
  ['a raw tab in a string', '{"a":"x\ty"}', 8, /control character/],
  ['a raw NUL in a string', '{"a":"\0"}', 7, /control character/],
  ['an escape that is none', '{"a":"\\x41"}', 7, /no escape/],
  ['an escape with three hex digits', '{"a":"\\u12"}', 7, /no escape/],
  ['a lone high surrogate', '{"a":"\\ud83d"}', 7, /surrogate/],
  ['a lone low surrogate', '{"a":"\\ude00\\ud83d"}', 7, /surrogate/],
  ['a high surrogate before another escape', '{"a":"\\ud83d\\u0041"}', 7, /surrogate/],
  ['a lone surrogate in a name', '{"\\udead":1}', 3, /surrogate/],
  ['an overlong form', bytes('{"a":"', [0xc0, 0xaf], '"}'), 7, /UTF-8/],
  ['an overlong form of three bytes', bytes('{"a":"', [0xe0, 0x80, 0xaf], '"}'), 7, /UTF-8/],
  ['an overlong form of four bytes', bytes('{"a":"', [0xf0, 0x80, 0x80, 0xaf], '"}'), 7, /UTF-8/],
  ['an encoded surrogate', bytes('{"a":"é', [0xed, 0xa0, 0x80], '"}'), 8, /UTF-8/],
  ['a character past U+10FFFF', bytes('{"a":"', [0xf4, 0x90, 0x80, 0x80], '"}'), 7, /UTF-8/],
  ['a continuation byte alone', bytes('{"a":"', [0x80], '"}'), 7, /UTF-8/],
  ['a character that is cut', bytes('{"a":"', [0xe2, 0x82], '"}'), 7, /UTF-8/],
  ['a byte that UTF-8 never has', bytes('{"a":"', [0xff], '"}'), 7, /UTF-8/],
  ['a name twice', '{"a":1,"b":2,"a":3}', 14, /twice/],
  ['a name twice, once null', '{"a":null,"a":3}', 11, /twice/],
  ['a name twice in two spellings', '{"ab":1,"\\u0061b":1}', 9, /twice/],
  ['a name twice deep inside', '{"a":[{"x":1},{"x":1,"y":{"z":[],"z":1}}]}', 34, /twice/],
  ['65 levels', nested(65), 69, /64 levels/],
];

describe('scanLines refuses', () => {
  test.each(malformed)('%s, naming line and column', async (_what, line, column, says) => {
    const before = '{"a":"ok"}\n\n{"ü":[1.5]}\r\n';
    const after = '\n{"a":"ok"}\n';
    for (const end of [after, '']) {
      const content = bytes(before, [...(typeof line === 'string' ? Buffer.from(line) : line)], end);
      const error = await refusal(content);
      expect(error).toMatchObject({ name: 'HoldoutError', place: { file: 'in.jsonl', line: 4, column } });
      expect(error.message).toMatch(says);
      expect(error.hint).toBeTruthy();
      expect(['INPUT_INVALID', 'LIMIT']).toContain(error.code);
    }
  });

  test('the first bad line, whatever the order of the workers', async () => {
    const good = '{"a":1}\n';
    const content = `${good.repeat(500)}{"a":\n${good.repeat(500)}5\n`;
    const pool = ScanPool.open(3);
    try {
      for (const blockBytes of [64, 1000, 1 << 20]) {
        expect((await refusal(content, { pool, blockBytes })).place).toEqual({
          file: 'in.jsonl',
          line: 501,
          column: 6,
        });
      }
    } finally {
      await pool.close();
    }
  });

  test('a name twice in an object with more members than are kept', async () => {
    const many = Array.from({ length: 2500 }, (_, i) => `"k${i}":${i % 2 === 0 ? 'null' : '1'}`).join(',');
    expect((await refusal(`{"a":{${many}}}\n{"a":{${many},"k10":1}}\n`)).place).toMatchObject({
      line: 2,
      column: `{"a":{${many},`.length + 1,
    });
    expect((await scanBytes(`{"a":{${many}}}\n{"a":{${many},"k":1}}\n`)).rows).toBe(2);
  });

  test('columns that differ only in case, over the whole file', async () => {
    const content = `${'{"text":1}\n'.repeat(300)}\n{"other":1, "Text":2}\n`;
    for (const blockBytes of [100, 1 << 20]) {
      const error = await refusal(content, { blockBytes, threads: 2 });
      expect(error).toMatchObject({ code: 'INPUT_INVALID', place: { line: 302, column: 13 } });
      expect(error.message).toContain('"text" and "Text"');
    }
    expect((await scanBytes('{"é":1,"É":2,"a":{"x":1,"X":2}}\n')).rows).toBe(1);
  });

  test('columns without a name, or with a NUL in it', async () => {
    expect((await refusal('{"a":1}\n{"":1}\n')).place).toMatchObject({ line: 2, column: 2 });
    expect((await refusal('{"a":1,"a\\u0000b":1}\n')).place).toMatchObject({ line: 1, column: 8 });
  });

  test('UTF-16', async () => {
    for (const content of [Buffer.from('\u{feff}{"a":1}\n', 'utf16le'), Buffer.from('{"a":1}\n', 'utf16le')]) {
      const error = await refusal(content);
      expect(error.message).toContain('UTF-16');
      expect(error.code).toBe('INPUT_INVALID');
    }
  });

  test('more than 10,000 columns', async () => {
    expect((await scanBytes(rowOf(10_000))).schema.columns).toHaveLength(10_000);
    expect(await refusal(rowOf(10_001))).toMatchObject({ code: 'LIMIT', place: { line: 1 } });
  });
});

describe('scanLines takes', () => {
  test.each([
    ['64 levels', nested(64)],
    ['38 digits', `{"a":${'9'.repeat(38)}}`],
    ['the words of Python', '{"a":[NaN,Infinity,-Infinity]}'],
    ['U+2028 and a carriage return between tokens', '{"a":\r"\u{2028}"}'],
    ['an escaped NUL', '{"a":"\\u0000"}'],
    ['the largest float', '{"a":1.7976931348623157e308}'],
    ['a surrogate pair', '{"a":"\\uD83D\\uDE00"}'],
  ])('%s', async (_what, line) => {
    expect((await scanBytes(`${line}\n`)).rows).toBe(1);
  });
});
