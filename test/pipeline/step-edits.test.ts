import { describe, expect, it } from 'vitest';
import { firstEdit } from '../../dist/src/pipeline/step-edits.js';

const list = (text: string) =>
  text
    .split(' ')
    .filter(Boolean)
    .map((each) => {
      const [name = '', asks = ''] = each.split(':');
      return { name, asks: asks === '?' ? null : asks };
    });

describe('the first edit of a list of steps', () => {
  it.each([
    ['filter:1 head:5', 'filter:1 head:5', null],
    ['filter:1 head:5', 'filter:1 head:6', { kind: 'changed', was: 1, is: 1 }],
    ['filter:1 head:5', 'filter:2 filter:1 head:5', { kind: 'new', is: 0 }],
    ['filter:1 head:5', 'filter:1 filter:2 head:5', { kind: 'new', is: 1 }],
    ['filter:1 filter:2 head:5', 'filter:2 head:5', { kind: 'gone', was: 0 }],
    ['filter:1 head:5', 'filter:1', { kind: 'gone', was: 1 }],
    ['', 'filter:1', { kind: 'new', is: 0 }],
    ['filter:1 head:5', 'filter:1 sort:a', { kind: 'changed', was: 1, is: 1 }],
    ['filter:1 sort:a head:5', 'sort:a filter:1 head:5', { kind: 'moved', was: 1, is: 0 }],
    ['filter:1 sort:a head:5', 'head:5 sort:a filter:1', { kind: 'moved', was: 2, is: 0 }],
    ['filter:1 filter:2 head:5', 'filter:2 filter:1 head:5', { kind: 'changed', was: 0, is: 0 }],
    ['filter:1 sort:a filter:1', 'filter:1 filter:1', { kind: 'gone', was: 1 }],
    // What a step of the lock asked is not known where this store never ran it.
    ['filter:? head:?', 'filter:1 shuffle:0 head:5', { kind: 'new', is: 1 }],
  ] as const)('of %s to %s', (was, is, edit) => {
    expect(firstEdit(list(was), list(is))).toEqual(edit);
  });

  it('is found in lists of any length', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ name: 'filter', asks: String(i) }));
    const one = { name: 'sort', asks: 'a' };
    expect(firstEdit(many, [...many.slice(0, 9), one, ...many.slice(9)])).toEqual({ kind: 'new', is: 9 });
    const others = many.map(({ name, asks }) => ({ name, asks: `-${asks}` }));
    expect(firstEdit(many, others)).toEqual({ kind: 'changed', was: 0, is: 0 });
  });
});
