import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineOfRow } from '../../dist/src/tables/json-scan/fixups.js';
import { ScanPool } from '../../dist/src/tables/json-scan/pool.js';
import { inFolder, scanBytes } from './scan-text.ts';

/** 400 rows of varied length and keys; columns that appear late, in an order that depends on the row. */
const rows = Array.from({ length: 400 }, (_, i) => {
  const late = i % 97 === 96 ? `,"late${i}":{"x${i % 5}":${i},"y":[${i}.5]}` : '';
  return `{"id":${i},"text":"${'wörter '.repeat(i % 23)}"${late},"tags":[${i % 4 === 0 ? '' : '"a"'}]}`;
});
const text = `${rows.join('\n')}\n`;

describe('scanLines', () => {
  test('does not depend on where blocks are cut or on the number of threads', async () => {
    const whole = await scanBytes(text, { wantSha256: true });
    expect(whole.rows).toBe(400);
    expect(new Set(whole.digests).size).toBe(400);
    expect(whole.sha256).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
    expect(whole.longestLineBytes).toBe(Math.max(...rows.map((row) => Buffer.byteLength(row))));
    for (const threads of [1, 4]) {
      const pool = ScanPool.open(threads);
      try {
        for (const blockBytes of [1, 700, 4096, 1 << 20]) {
          expect(await scanBytes(text, { pool, blockBytes, wantSha256: true })).toEqual(whole);
        }
      } finally {
        await pool.close();
      }
    }
    expect(await scanBytes(text, { blockBytes: 333, wantSha256: true })).toEqual(whole);
  });

  test('says where each row begins', async () => {
    const { offsets } = await scanBytes(text, { blockBytes: 1000 });
    const bytes = Buffer.from(text);
    expect(offsets.map((at) => bytes.toString('utf8', at, bytes.indexOf(10, at)))).toEqual(rows);
  });

  test('restores any mixture of lines, blanks and line ends from rows and fix-ups', async () => {
    const line = fc.oneof(
      fc.constant('{"a":1}'),
      fc.constant(' {"b":"é"}\t'),
      fc.constantFrom('', ' ', '\t ', '\r', '\r '),
    );
    const end = fc.constantFrom('\n', '\r\n');
    const pool = ScanPool.open(1);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(line, end), { maxLength: 12 }),
        fc.boolean(),
        fc.constantFrom('', '{"c":1}', '  '),
        fc.integer({ min: 1, max: 30 }),
        async (lines, bom, open, blockBytes) => {
          const content = (bom ? '\u{feff}' : '') + lines.flat().join('') + open;
          const { fixups, offsets } = await scanBytes(content, { blockBytes, pool });
          expect(fixups).not.toBeNull();
          if (fixups === null) return;
          const bytes = Buffer.from(content);
          const rowTexts = offsets.map((at) => {
            const next = bytes.indexOf(10, at);
            return bytes.toString('utf8', at, next === -1 ? bytes.length : next);
          });
          const isCrlf = (number: number): boolean =>
            typeof fixups.ends === 'string' ? fixups.ends === 'crlf' : fixups.ends.includes(number);
          const blanks = new Map(fixups.blanks);
          const total = rowTexts.length + blanks.size;
          let restored = fixups.bom ? '\u{feff}' : '';
          for (let number = 0, row = 0; number < total; number++) {
            const last = number === total - 1 && !fixups.finalNewline;
            const crlf = !last && isCrlf(number);
            if (!blanks.has(number)) expect(lineOfRow(fixups, row)).toBe(number + 1);
            const raw = blanks.get(number) ?? rowTexts[row++] ?? '';
            restored += (crlf && !blanks.has(number) ? raw.slice(0, -1) : raw) + (last ? '' : crlf ? '\r\n' : '\n');
          }
          expect(restored).toBe(content);
        },
      ),
      { numRuns: 120 },
    );
    await pool.close();
  });

  test('reads an empty file, and one of blanks, as no rows', async () => {
    for (const content of ['', '\n', ' \r\n\t\n', '\u{feff}', '\u{feff}\n']) {
      const result = await scanBytes(content, { wantSha256: true });
      expect(result.rows).toBe(0);
      expect(result.schema.columns).toEqual([]);
      expect(result.bytes).toBe(Buffer.byteLength(content));
    }
  });

  test('reads a line that is longer than a block', async () => {
    const long = `{"text":"${'x\\n'.repeat(7 << 20)}"}`;
    const result = await scanBytes(`{"a":1}\n${long}\n{"a":2}`, { blockBytes: 1 << 20 });
    expect(result.rows).toBe(3);
    expect(result.longestLineBytes).toBe(long.length);
    const preimage = `holdout-row-v1:OS4:textS${14 << 20}:${'x\n'.repeat(7 << 20)}E`;
    expect(result.digests[1]).toBe(createHash('sha256').update(preimage).digest('hex'));
  });

  test('serves one file after another, and several at once, from one pool', async () => {
    const pool = ScanPool.open(2);
    try {
      const scans = Array.from({ length: 6 }, (_, i) =>
        scanBytes(`{"c${i}":1}\n`.repeat(i + 1), { pool, blockBytes: 9 }),
      );
      for (const [i, { rows, schema }] of (await Promise.all(scans)).entries()) {
        expect(rows).toBe(i + 1);
        expect(schema.columns.map(({ name }) => name)).toEqual([`c${i}`]);
      }
    } finally {
      await pool.close();
    }
  });

  test('goes on after a file that was refused', async () => {
    const pool = ScanPool.open(2);
    try {
      await expect(scanBytes('{"a":1}\n{"a":\n{"a":3}\n'.repeat(50), { pool, blockBytes: 8 })).rejects.toThrow();
      expect((await scanBytes('{"b":1}\n', { pool })).schema.columns.map(({ name }) => name)).toEqual(['b']);
    } finally {
      await pool.close();
    }
  });

  test('says that a folder is no file', async () => {
    const { scanLines } = await import('../../dist/src/tables/json-scan/scan-lines.js');
    await inFolder(async (folder) => {
      const scanning = scanLines({ path: folder, tempDigests: `${folder}/digests` });
      await expect(scanning).rejects.toMatchObject({ name: 'HoldoutError', code: 'IO', place: { file: folder } });
    });
  });

  test('says that a file is not there', async () => {
    const { scanLines } = await import('../../dist/src/tables/json-scan/scan-lines.js');
    await expect(scanLines({ path: 'no-such-file.jsonl', tempDigests: 'unused' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
