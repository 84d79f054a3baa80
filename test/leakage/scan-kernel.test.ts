import { readFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldTableBase64, foldTableDigest, foldTableUnicode } from '../../dist/src/leakage/fold-table.data.js';
import { Kernel } from '../../dist/src/leakage/kernel.js';
import { tokensOf } from '../../dist/src/leakage/tokens.js';

// Whatever has ever made two tokenisers differ: escapes, entities, marks, singles, surrogate pairs, look-alikes.
const pieces = [
  'a',
  'B',
  'z9',
  'foo',
  ' ',
  '\n',
  '\\',
  'n',
  '\\n',
  '&',
  '&amp;',
  '&lt;',
  '&#39;',
  '&#x27;',
  '&#233;',
  'amp;',
  '#',
  'é',
  'e\u0301',
  'ß',
  'ﬁ',
  '½',
  '⑴',
  '中',
  '文',
  '한',
  'カ',
  'ｶ',
  'ﾞ',
  '\u200b',
  '\ufeff',
  '𝒜',
  '😀',
  'а',
  'ς',
  '"',
  ',',
  ':',
  '{',
  '[',
  '\t',
  'x',
  'longlongword',
  '12345678',
  'İ',
  ';',
  '&nbsp;',
  '&AMP;',
  '&#38;lt;',
  '-',
  '…',
];
const text = fc
  .array(
    fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...pieces) }, fc.string({ unit: 'grapheme', maxLength: 3 })),
    {
      maxLength: 60,
    },
  )
  .map((parts) => parts.join(''))
  .filter((joined) => !/\p{Surrogate}/u.test(joined));

/** A JSON string, with none, all, or some characters escaped. */
function jsonString(value: string, escaping: number): string {
  if (escaping === 0) return JSON.stringify(value);
  const parts = Array.from(value, (character, i) => {
    if (escaping === 2 && i % 3 !== 0) return JSON.stringify(character).slice(1, -1);
    const units = Array.from({ length: character.length }, (_, unit) => character.charCodeAt(unit));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
  return `"${parts.join('')}"`;
}

function runsOf(tokens: readonly string[], n: number): string[] {
  return tokens.slice(0, Math.max(0, tokens.length - n + 1)).map((_, at) => tokens.slice(at, at + n).join(' '));
}

describe('scan kernel', () => {
  it('misses no run of any string, however its JSON is escaped', () => {
    let sighted = 0;
    const property = fc.property(
      fc.array(text, { minLength: 1, maxLength: 4 }),
      fc.array(fc.array(text, { maxLength: 3 }), { maxLength: 4 }),
      fc.integer({ min: 0, max: 2 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
      (items, rows, escaping, lengths) => {
        const all = [...rows, items];
        const kernel = new Kernel();
        const table = kernel.createTable(
          (items.join('').length + 1) * lengths.length,
          lengths.reduce((bits, n) => bits | (1 << n), 0),
        );
        const numbers = new Map<string, number>();
        // Looked at together: there are a million of them.
        const misnumbered: string[] = [];
        const missed: string[] = [];
        let runs = 0;
        for (const item of items) {
          const tokens = tokensOf(item);
          expect(kernel.hashTokens(item)).toBe(tokens.length);
          for (const n of lengths) {
            for (const [at, run] of runsOf(tokens, n).entries()) {
              const number = kernel.addRun(at, n, runs);
              if (number !== (numbers.get(run) ?? runs)) misnumbered.push(run);
              if (number === runs) runs++;
              numbers.set(run, number);
            }
          }
        }
        kernel.shareTable(table);
        const scanner = new Kernel();
        scanner.loadTable({ ...table, grams: runs });
        const lines = all.map((strings) => `{"a": [${strings.map((s) => jsonString(s, escaping)).join(', ')}]}\n`);
        const bytes = Buffer.from(lines.join(''));
        scanner.textRoom(bytes.length);
        scanner.textBytes(bytes.length).set(bytes);
        const result = scanner.scan(0, bytes.length);
        expect(result.rows).toBe(all.length);
        expect(result.textless).toBe(
          all.filter((strings) => strings.every((s) => tokensOf(s).length === 0 && !/\w/.test(s))).length,
        );
        const found = new Set<string>();
        for (let i = 0; i < result.hits.length; i += 2) found.add(`${result.hits[i]} ${result.hits[i + 1]}`);
        for (const [row, strings] of all.entries()) {
          for (const run of strings.flatMap((s) => lengths.flatMap((n) => runsOf(tokensOf(s), n)))) {
            const number = numbers.get(run);
            if (number === undefined) continue;
            sighted++;
            if (!found.has(`${row} ${number}`)) missed.push(run);
          }
        }
        expect({ misnumbered, missed }).toEqual({ misnumbered: [], missed: [] });
      },
    );
    fc.assert(property, { numRuns: 300 });
    expect(sighted).toBeGreaterThan(300);
  });

  it('reads lines that are longer than its buffer, blank lines between rows and a last line without a newline', () => {
    const kernel = new Kernel();
    const table = kernel.createTable(10, 1 << 2);
    expect(kernel.hashTokens('needle thread')).toBe(2);
    kernel.addRun(0, 2, 0);
    kernel.shareTable(table);
    const scanner = new Kernel();
    scanner.loadTable(table);
    const long = `{"t":"${'hay '.repeat(300_000)}needle, thread"}`;
    const bytes = Buffer.from(`{"t":"x"}\n\n  \r\n${long}\n`);
    scanner.textRoom(bytes.length);
    scanner.textBytes(bytes.length).set(bytes);
    const result = scanner.scan(0, bytes.length);
    expect(result.rows).toBe(2);
    expect([...result.hits]).toEqual([1, 0]);
    expect([...result.hitRows]).toEqual([1, bytes.length - long.length - 1, long.length]);
  });

  it('is built from its source', async () => {
    const script: string = new URL('../../.ci/build-kernels.mjs', import.meta.url).href;
    const kernels = (await import(script)) as { compileKernel(source: string): Promise<string> };
    const committed = await readFile(new URL('../../src/leakage/kernel.wasm.ts', import.meta.url), 'utf8');
    expect(await kernels.compileKernel('src/leakage/kernel.as.ts')).toBe(committed);
  });
});

describe('fold table', () => {
  it('is the table that its digest names', () => {
    const raw = inflateRawSync(Buffer.from(foldTableBase64, 'base64'));
    expect(`sha256:${createHash('sha256').update(raw).digest('hex')}`).toBe(foldTableDigest);
    expect(foldTableDigest).toBe('sha256:009d097c4ebd0ef7920727f76e2af57f7d6ec2427687ee19f8a891bfc23449d0');
  });

  it.skipIf(process.versions['unicode'] !== foldTableUnicode)(
    'is what its generator writes under the same Unicode',
    () => {
      const generator = new URL('../../src/leakage/generate-fold-table.mjs', import.meta.url);
      execFileSync(process.execPath, [generator.pathname, '--check']);
    },
  );

  it('folds what people and tools write differently to one token', () => {
    const same = [
      ['naive', 'naïve', 'NAIVE', 'nai\u0308ve', 'na\u200bïve', 'na&#239;ve', 'ｎａｉｖｅ', 'nаive'],
      ['strasse', 'Straße', 'STRASSE'],
      ['fine', 'ﬁne'],
      ['x', 'х', '&#120;', '𝒙'],
    ];
    for (const spellings of same) for (const spelling of spellings) expect(tokensOf(spelling)).toEqual([spellings[0]]);
  });

  it('makes each Chinese, Japanese and Korean character a token', () => {
    expect(tokensOf('中文 abc日本ｶﾞ한국')).toEqual(['中', '文', 'abc', '日', '本', 'カ', '한', '국']);
  });

  it('separates at entities, at every level of escaping, and at a newline that was escaped twice', () => {
    expect(tokensOf('a&amp;b &lt;i&gt; it&#39;s &amp;amp;lt;p&amp;gt; one\\ntwo AT&T')).toEqual(
      'a b i it s p one two at t'.split(' '),
    );
  });
});
