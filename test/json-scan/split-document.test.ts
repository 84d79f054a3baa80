import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HoldoutError } from '../../dist/src/errors.js';
import { scanLines } from '../../dist/src/tables/json-scan/scan-lines.js';
import { sniffJson } from '../../dist/src/tables/json-scan/sniff-json.js';
import { splitDocument } from '../../dist/src/tables/json-scan/split-document.js';
import { randomRow, randomValue } from './random-json.ts';
import { inFolder, scanBytes } from './scan-text.ts';

interface Split {
  readonly form: string;
  readonly key: string | null;
  readonly lines: readonly string[];
  /** The document's lines on which the rows begin, and the characters there. */
  readonly rowLines: readonly number[];
  readonly firsts: readonly string[];
  readonly sha256: string;
}

/** Splits a document and scans its rows, as a reader does. */
async function split(content: string | Uint8Array): Promise<Split> {
  return inFolder(async (folder) => {
    const path = join(folder, 'in.json');
    const spool = join(folder, 'spool');
    await writeFile(path, content);
    const document = await splitDocument(path, spool, { name: 'in.json' });
    await scanLines({ path: spool, tempDigests: join(folder, 'digests'), name: 'in.json', placeOf: document.placeOf });
    const text = await readFile(spool, 'utf8');
    const lines = text === '' ? [] : text.slice(0, -1).split('\n');
    expect(document.rows).toBe(lines.length);
    const bytes = Buffer.from(content);
    return {
      form: document.form,
      key: document.key,
      sha256: document.sha256,
      lines,
      rowLines: lines.map((_, row) => document.lineOfRow(row)),
      firsts: [...document.starts].map((at) => bytes.toString('utf8', at, at + 1)),
    };
  });
}

async function refusal(content: string | Uint8Array): Promise<HoldoutError> {
  try {
    await split(content);
  } catch (error) {
    return error as HoldoutError;
  }
  throw new Error('nothing was refused');
}

const pretty = JSON.stringify([{ a: 'x  y', b: [1, { c: '[{"' }] }, { a: 'z', b: null }, {}], null, 4);

describe('splitDocument', () => {
  test('makes a line of each row of a list', async () => {
    const found = await split(pretty);
    expect(found.form).toBe('array');
    expect(found.lines).toEqual(['{"a":"x  y","b":[1,{"c":"[{\\""}]}', '{"a":"z","b":null}', '{}']);
    expect(found.rowLines).toEqual([2, 11, 15]);
    expect(found.firsts).toEqual(['{', '{', '{']);
    expect(found.sha256).toBe(`sha256:${createHash('sha256').update(pretty).digest('hex')}`);
    expect((await split(`\u{feff} \r\n${pretty.replaceAll('\n', '\r\n')}\r\n`)).lines).toEqual(found.lines);
  });

  test('takes the rows of the one member that is a list of objects', async () => {
    const document = {
      canary: 'x',
      'exämples\n': [{ input: 1 }, { input: 2 }],
      sizes: [1, 2],
      meta: { rows: [{ no: 1 }] },
      none: [],
    };
    for (const indent of [0, 2]) {
      const found = await split(JSON.stringify(document, null, indent));
      expect(found).toMatchObject({ form: 'rows', key: 'exämples\n', lines: ['{"input":1}', '{"input":2}'] });
      expect(found.rowLines).toEqual(indent === 0 ? [1, 1] : [4, 7]);
    }
  });

  test('takes a single object as one row', async () => {
    const found = await split('\n {\n "a": 1,\n "b": [ 1, [ {} ] ],\n "c": []\n}\n');
    expect(found).toMatchObject({
      form: 'object',
      key: null,
      lines: ['{"a":1,"b":[1,[{}]],"c":[]}'],
      rowLines: [2],
      firsts: ['{'],
    });
  });

  test('takes an empty list as no rows', async () => {
    expect(await split(' [ \n] ')).toMatchObject({ form: 'array', lines: [] });
  });

  test('says which members hold lists of objects when several do', async () => {
    const error = await refusal('{"train":[{"a":1}],"n":1,"test":[{"a":2}],"dev":[ {"a":3}]}');
    expect(error.code).toBe('INPUT_INVALID');
    expect(error.message).toContain('"train", "test", "dev"');
  });

  test('keeps every row as it was, whatever its spelling and the white space around it', async () => {
    const gap = fc.constantFrom('', ' ', '\n', '\r\n\t');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(gap, randomRow, gap), { maxLength: 4 }), randomValue, async (rows, other) => {
        const list = `[${rows.map((parts) => parts.join('')).join(',')}]`;
        const texts = rows.map(([, row]) => row);
        const plain = await scanBytes(texts.map((row) => `${row}\n`).join('')).catch(() => null);
        // Rows whose columns differ only in case are refused either way.
        if (plain === null) return;
        const documents = [
          list,
          ...(rows.length > 0 && !/^\[\s*\{/.test(other) ? [`{"o":${other},\n"rows" : ${list}}`] : []),
        ];
        for (const document of documents) {
          const { lines } = await split(document);
          expect((await scanBytes(lines.map((line) => `${line}\n`).join(''))).digests).toEqual(plain.digests);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('reads a document of many chunks', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => ({ id: i, text: `"é\\${'x'.repeat(i % 90)}` }));
    const found = await split(JSON.stringify({ about: 'é', rows }, null, 1));
    expect(found.lines).toEqual(rows.map((row) => JSON.stringify(row)));
    expect(found.rowLines.at(-1)).toBe(4 + 29_999 * 4);
    const broken = JSON.stringify(rows, null, 1).replace('"id": 29000,', '"id": 29000 1,');
    expect((await refusal(broken)).place).toEqual({ file: 'in.json', line: 2 + 29_000 * 4 + 1, column: 15 });
  });

  test.each<[string, string | Uint8Array, number, number, RegExp]>([
    ['a missing bracket', '[\n{"a":1}\n', 3, 1, /before its closing bracket/],
    ['nothing', '', 1, 1, /before its closing bracket/],
    ['a comma before the end', '[{"a":1},\n]', 2, 1, /must be an object/],
    ['a missing comma', '[{"a":1}\n {"a":2}]', 2, 2, /"," or "\]"/],
    ['a row that is none', '[{"a":1},\n 5]', 2, 2, /must be an object/],
    ['text behind the end', '[{"a":1}]\nx', 2, 1, /follows/],
    ['a raw line end in a string', '[{"a":"x\ny"}]', 1, 9, /control character/],
    ['two numbers in a row', '[{"a":1,\n "b": 1 2}]', 2, 9, /"," or "}"/],
    ['a word in pieces', '[{"a":1},\n{"a": tr\n ue}]', 2, 7, /value is expected/],
    ['brackets that do not match', '[\n{"a":[1}]', 2, 8, /"}" closes what "\[" opened/],
    ['a duplicate in a row', '[{"a":1},\n{\n "é": "é", "a":1,\n  "a":2}]', 4, 3, /twice/],
    ['a duplicate around the rows', '{"v":1,\n"rows":[{"a":1}],\n"v":2}', 3, 1, /twice/],
    ['bad UTF-8 around the rows', Buffer.from('{"rows":[{"a":1}],\n"v":"\xff"}', 'latin1'), 2, 6, /UTF-8/],
    ['a bad number in a single object', '{\n"a": 01\n}', 2, 6, /not a JSON number/],
    ['columns that differ only in case', '[{"a":1},\n{"x":1, "A":2}]', 2, 9, /differ only in case/],
  ])('refuses %s, naming the document’s line and column', async (_what, content, line, column, says) => {
    const error = await refusal(content);
    expect(error.message).toMatch(says);
    expect(error).toMatchObject({ name: 'HoldoutError', place: { file: 'in.json', line, column } });
  });
});

describe('sniffJson', () => {
  test.each([
    ['a.json', '{"a":1}\n{"a":2}\n', 'jsonl'],
    ['a.json', '\u{feff}\n{"a":"{"}\r\n\r\n{"a":2}', 'jsonl'],
    ['a.jsonl', '{"messages":[{"role":"user"}]}\n', 'jsonl'],
    ['a.jsonl.gz', '{"a":1}\n', 'jsonl'],
    ['a.json', '{"canary":"x","examples":[{"a":1}]}', 'json'],
    ['a.jsonl', '{\n"a":1\n}\n', 'json'],
    ['a.jsonl', ' [{"a":1}]', 'json'],
    ['a.json', '', 'jsonl'],
    ['a.json', '{"a":1}{"a":2}', 'jsonl'],
    ['a.txt', `{"a":"${'x'.repeat(100_000)}"}\n{}`, 'jsonl'],
  ])('%s with %s is %s', async (name, content, form) => {
    await inFolder(async (folder) => {
      const path = join(folder, name);
      await writeFile(path, content);
      expect(await sniffJson(path)).toBe(form);
      await writeFile(join(folder, 'spool'), content);
      expect(await sniffJson(join(folder, 'spool'), name)).toBe(form);
    });
  });
});
