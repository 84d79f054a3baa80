import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJsonValue } from '../../dist/src/identity/json-value.js';
import { rowDigest, type ObjectValue, type Value } from '../../dist/src/identity/row-encoding.js';
import { randomRow } from './random-json.ts';
import { scanBytes } from './scan-text.ts';

/** More of them when asked: HOLDOUT_TEST_RUNS=5000. */
const RUNS = Number(process.env['HOLDOUT_TEST_RUNS'] ?? 60);

/** The row's digest as the reference implementation has it. */
function referenceDigest(text: string): string {
  const value = parseJsonValue(text);
  if (!isObject(value)) throw new TypeError(`no object: ${text}`);
  return Buffer.from(rowDigest(value.members)).toString('hex');
}

function isObject(value: Value): value is ObjectValue {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'object';
}

/** Whether the reference reads the text as a row. */
function isRow(text: string): boolean {
  try {
    return isObject(parseJsonValue(text));
  } catch (error) {
    if (error instanceof Error && error.name === 'HoldoutError') return false;
    throw error;
  }
}

/** Keeps the rows of which no two columns differ only in case, which is refused over the whole file. */
function withoutCaseClash(rows: readonly string[]): readonly string[] {
  const names = new Map<string, string>();
  return rows.filter((row) => {
    const all = Object.keys(JSON.parse(asStandardJson(row)) as object);
    const clash = all.some(
      (name) =>
        (names.get(fold(name)) ?? name) !== name || all.some((other) => other !== name && fold(other) === fold(name)),
    );
    if (!clash) for (const name of all) names.set(fold(name), name);
    return !clash;
  });
}

function fold(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function asStandardJson(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (token) => (token.startsWith('"') ? token : '0'));
}

describe('the kernel', () => {
  test('is what its source compiles to', async () => {
    const { compileKernel } = (await import(new URL('../../.ci/build-kernels.mjs', import.meta.url).href)) as {
      compileKernel: (source: string) => Promise<string>;
    };
    const committed = await readFile(new URL('../../src/tables/json-scan/kernel.wasm.ts', import.meta.url), 'utf8');
    expect(await compileKernel('src/tables/json-scan/kernel.as.ts')).toBe(committed);
  });

  test('gives every row the digest of the reference implementation', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(randomRow, { minLength: 1, maxLength: 12 }), async (generated) => {
        const rows = withoutCaseClash(generated);
        const { digests } = await scanBytes(rows.map((row) => `${row}\n`).join(''));
        expect(digests).toEqual(rows.map(referenceDigest));
        compared += rows.length;
      }),
      { numRuns: RUNS },
    );
    expect(compared).toBeGreaterThan(100);
  });

  test('takes and refuses what the reference implementation takes and refuses', async () => {
    // One character of a row is replaced, removed or doubled: most are no rows any more, some are other rows.
    const other = fc.constantFrom(...'{}[]:,"\\/ \t\r\b0123456789.eE+-naNIul\0é\u{1f600}'.split(''));
    let taken = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(randomRow, fc.nat(), other, fc.nat(2), async (row, position, character, change) => {
        const characters = Array.from(row);
        const at = position % characters.length;
        characters.splice(at, change === 1 ? 0 : 1, ...(change === 2 ? [] : [character]));
        const text = characters.join('');
        // A lone surrogate in the test's own text would reach the file as another character.
        if (Buffer.from(text).toString() !== text) return;
        let digests: readonly string[] | null = null;
        try {
          ({ digests } = await scanBytes(text));
        } catch (error) {
          if (!(error instanceof Error) || error.name !== 'HoldoutError') throw error;
          // Names of columns are held to more than names in objects.
          if (/column/.test(error.message)) return;
        }
        if (digests?.length === 0) return;
        expect([text, digests !== null]).toEqual([text, isRow(text)]);
        if (digests !== null) expect(digests).toEqual([referenceDigest(text)]);
        if (digests === null) refused++;
        else taken++;
      }),
      { numRuns: RUNS * 5 },
    );
    expect(Math.min(taken, refused)).toBeGreaterThan(20);
  });

  test.each([
    ['{"b":1,"a":2}', '{"a":2,"b":1}'],
    ['{"a":1,"b":null}', '{"a":1}'],
    ['{"a":1.0}', '{"a":1}'],
    ['{"a":-0.0}', '{"a":0}'],
    ['{"a":1e2}', '{"a":100}'],
    ['{"a":9007199254740992.0}', '{"a":9007199254740992}'],
    ['{"\\u0061":"\\u00e9\\/"}', '{"a":"é/"}'],
    [' { "a" : [ 1 , { "d" : 1 , "c" : 2 } ] } ', '{"a":[1,{"c":2,"d":1}]}'],
    ['{"a":{"x":{"z":1,"y":null}}}', '{"a":{"x":{"z":1}}}'],
  ])('sees one row in %s and %s', async (one, other) => {
    const { digests } = await scanBytes(`${one}\n${other}\n`);
    expect(digests[0]).toBe(digests[1]);
  });

  test.each([
    ['{"a":null}', '{"a":""}'],
    ['{"a":[]}', '{"a":{}}'],
    ['{"a":[null]}', '{"a":[]}'],
    ['{"a":1}', '{"a":"1"}'],
    ['{"a":9007199254740993}', '{"a":9007199254740993.0}'],
    ['{"a":"é"}', '{"a":"e\\u0301"}'],
    ['{"a":1e22}', '{"a":10000000000000000000000}'],
  ])('sees two rows in %s and %s', async (one, other) => {
    const { digests } = await scanBytes(`${one}\n${other}\n`);
    expect(digests[0]).not.toBe(digests[1]);
  });

  test('sorts many members by the bytes of their names, in objects that are kept and in those that are not', async () => {
    const names = Array.from(
      { length: 3000 },
      (_, i) => `k${(i * 7919) % 3001}\u{1f600}${i % 3 === 0 ? '\uffff' : 'é'}`,
    );
    const many = (count: number): string =>
      names
        .slice(0, count)
        .map((name, i) => `"${name}":${i % 50 === 0 ? 'null' : i}`)
        .join(',');
    const rows = [`{"few":{${many(40)}},"many":{${many(3000)}}}`, `{${many(150)}}`, `{"many":{${many(2500)}}}`];
    const { digests } = await scanBytes(`${rows.join('\n')}\n`);
    expect(digests).toEqual(rows.map(referenceDigest));
  });
});
