import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Workspace } from '../snapshots/workspace.ts';

let space: Workspace;
beforeEach(async () => {
  space = await Workspace.make();
});
afterEach(() => space.remove());

const lines = (count: number, odd: Readonly<Record<number, string>> = {}): string =>
  Array.from(
    { length: count },
    (_, i) => `{"id":${i},"text":${odd[i] ?? `"t${i}"`},"n":${i % 2 === 0 ? 'NaN' : '1.5'}}\n`,
  ).join('');

describe('one odd value among many', () => {
  it('that makes a column JSON is named with file and line, blank lines counted', async () => {
    const a = await space.write('a.jsonl', `\ufeff\n${lines(20)}`);
    const b = await space.write('b.jsonl', lines(20, { 3: 'null', 7: '[1]', 9: '7' }));
    const { notes } = await space.add('mixed', [a, b]);
    expect(notes).toEqual([`column "text" is JSON: text in ${a}:2, a list in ${b}:8`]);
  });

  it('is told by its row where all rows stand on one line', async () => {
    const rows = lines(5, { 3: '{"x":1}' }).replaceAll('NaN', '0').trim().split('\n');
    const file = await space.write('rows.json', `[${rows.join(',')}]`);
    expect((await space.add('mixed', file)).notes).toEqual([
      `column "text" is JSON: text in ${file}:1, an object in ${file}, row 4`,
    ]);
    await space.add('last', await space.write('ok.jsonl', lines(3)));
    await expect(space.add('last', file)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'column "text" is VARCHAR in the last version and holds strings and objects here, first in row 4',
      place: { file },
    });
  });

  it('that the last version does not take is named with file and line', async () => {
    await space.add('last', await space.write('ok.jsonl', lines(3)));
    const fits = await space.write('a.jsonl', lines(20));
    const odd = await space.write('b.jsonl', lines(20, { 0: '1', 9: 'true' }));
    await expect(space.add('last', [fits, odd])).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'column "text" is VARCHAR in the last version and holds booleans and integers and strings here',
      place: { file: odd, line: 1 },
    });
  });

  it('is not spoken of where values of several kinds are what a column has', async () => {
    await space.add('free', await space.write('a.jsonl', lines(9, { 3: '1' })));
    expect((await space.add('free', await space.write('b.jsonl', lines(9, { 4: '1' })))).notes).toEqual([]);
    const shapes = '{"o":{"a":1}}\n{"o":{"a":"x"}}\n{"o":null}\n';
    expect((await space.add('shapes', await space.write('c.jsonl', shapes))).notes).toEqual([]);
  });
});
