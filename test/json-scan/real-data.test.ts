import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ScanPool } from '../../dist/src/tables/json-scan/pool.js';
import { scanLines } from '../../dist/src/tables/json-scan/scan-lines.js';
import { toTableSchema } from '../../dist/src/tables/json-scan/schema.js';
import { sniffJson } from '../../dist/src/tables/json-scan/sniff-json.js';
import { splitDocument } from '../../dist/src/tables/json-scan/split-document.js';
import { inFolder } from './scan-text.ts';

const data = process.env['HOLDOUT_TEST_DATA'];

/** Rows by file or by folder, as the folder's README counts them. */
const expected: Readonly<Record<string, number>> = {
  'gsm8k/train.jsonl': 7473,
  'gsm8k/test.jsonl': 1319,
  'gsm8k/example_model_solutions.jsonl': 1319,
  'bbh/': 6511,
  'mmlu/mmlu_test.jsonl': 14_042,
  'agieval/': 8269,
  'aqua/dev.json': 254,
  'aqua/test.json': 254,
  'svamp/SVAMP.json': 1000,
  'gpteacher/codegen-instruct.json': 4535,
  'rephrased/': 1319 + 3 * 164,
};

describe.skipIf(data === undefined)('real files (needs HOLDOUT_TEST_DATA)', () => {
  test('all scan, with the row counts that are known', async () => {
    const root = data ?? '';
    const names = (await readdir(root, { recursive: true })).filter((name) => /\.jsonl?$/.test(name));
    expect(names.length).toBeGreaterThan(70);
    const rows = new Map<string, number>();
    const pool = ScanPool.open();
    try {
      await inFolder(async (folder) => {
        for (const name of names) {
          const path = join(root, name);
          const document = (await sniffJson(path)) === 'json' ? await splitDocument(path, join(folder, 'spool')) : null;
          const lines = document === null ? path : join(folder, 'spool');
          const found = await scanLines({ path: lines, tempDigests: join(folder, 'digests'), pool });
          if (document !== null) expect(found.rows).toBe(document.rows);
          expect(toTableSchema(found.schema).columns.length).toBeGreaterThan(0);
          rows.set(name, found.rows);
        }
      });
    } finally {
      await pool.close();
    }
    for (const [prefix, count] of Object.entries(expected)) {
      const counted = [...rows].filter(([name]) => name.startsWith(prefix)).reduce((sum, [, found]) => sum + found, 0);
      expect([prefix, counted]).toEqual([prefix, count]);
    }
  });
});
