import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linePlaces } from '../../dist/src/tables/line-places.js';
import { chatRows, Workspace } from '../snapshots/workspace.ts';

let space: Workspace;
beforeEach(async () => {
  space = await Workspace.make();
});
afterEach(() => space.remove());

describe('the place of a line', () => {
  it('is that in its file, whichever part holds it and whatever stands before it', async () => {
    const rows = chatRows(700).map((line, i) => line.replace('{', `{"é":"${'ü'.repeat(i % 9)}",`));
    // Each version stores only what is new, so the last one lies in three parts.
    for (const end of [200, 450, 700])
      await space.add('lines', await space.write('l.jsonl', rows.slice(0, end).join('\n')));
    const { record } = await space.version('lines');
    const bytes = await readFile(space.path('l.jsonl'));
    await space.engine(async (engine) => {
      const place = { store: space.store, engine };
      const wanted = [0, 1, 199, 200, 449, 450, 699];
      const found = await linePlaces(place, record, 0, wanted);
      expect(found?.map(({ line }) => line)).toEqual(wanted.map((row) => rows[row]));
      for (const { offset, line } of found ?? []) expect(bytes.indexOf(line)).toBe(offset);

      const later = await linePlaces(place, record, 210, [0, 300]);
      const skipped = Buffer.byteLength(rows.slice(0, 210).join('\n')) + 1;
      expect(later?.map(({ offset, line }) => [offset + skipped, line])).toEqual([
        [bytes.indexOf(rows[210]!), rows[210]],
        [bytes.indexOf(rows[510]!), rows[510]],
      ]);
    });
  });

  it('is not said of rows that are no lines', async () => {
    await space.add('typed', await space.write('t.csv', 'a,b\n1,2\n'));
    const { record } = await space.version('typed');
    const { layouts } = await space.store.journal();
    expect(layouts.size).toBe(1);
    await space.engine(async (engine) => {
      expect(await linePlaces({ store: space.store, engine }, record, 0, [1])).toBeNull();
    });
  });
});
