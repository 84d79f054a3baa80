import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { GatheredDigests } from '../../dist/src/lineage/gathered-digests.js';
import { identifyDigests } from '../../dist/src/lineage/select-rows.js';

const folder = mkdtempSync(join(tmpdir(), 'holdout-gathered-'));
afterAll(() => rmSync(folder, { recursive: true }));

const digest = (value: number): Buffer => createHash('sha256').update(String(value)).digest();
const sources = fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 });

describe('digests of a table put together from others', () => {
  it('give the same ids from a file, a window at a time, as from memory', async () => {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(
        sources,
        fc.array(fc.nat(), { maxLength: 200 }),
        fc.integer({ min: 1, max: 250 }),
        async (given, drawn, windowRows) => {
          const all = given.flat().map(digest);
          const addresses = Uint32Array.from(drawn, (number) => number % all.length);
          const path = join(folder, String(files++));
          const gathered = new GatheredDigests({ addresses, path, windowRows });
          let from = 0;
          for (const values of given) {
            await gathered.add(Buffer.concat(values.map(digest)), from);
            from += values.length;
          }
          const expected = identifyDigests(Buffer.concat([...addresses].map((address) => all[address]!)));
          expect(await gathered.identify()).toEqual(expected);
          await gathered.close();
          expect(existsSync(path)).toBe(addresses.length > windowRows);
        },
      ),
    );
  });
});
