import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSameValue, lineMembers } from '../../dist/src/lineage/line-members.js';

const rows = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ depthSize: 'small' }), { maxKeys: 6 });

it('takes a line apart into the members that it holds, whatever the white space', () => {
  fc.assert(
    fc.property(rows, fc.nat(2), (row, indent) => {
      const line = JSON.stringify(row, null, indent).replaceAll('\n', ' ');
      const members = lineMembers(line);
      expect(members).toEqual(new Map(Object.keys(row).map((name) => [name, expect.any(String)])));
      for (const [name, spelled] of members) expect(JSON.parse(spelled)).toEqual(JSON.parse(JSON.stringify(row[name])));
    }),
  );
});

it.each([
  ['1', '1.0', true],
  ['"\\u00e9"', '"é"', true],
  ['{"a":[1, 2]}', '{ "a": [1,2] }', true],
  [undefined, 'null', true],
  ['-0.0', '0', true],
  ['9007199254740993', '9007199254740992', false],
  ['1', '"1"', false],
  ['{"a":1,"b":2}', '{"b":2,"a":1}', false],
  ['0.1', '0.2', false],
])('%s and %s are one value: %s', (one, other, same) => {
  expect(isSameValue(one, other)).toBe(same);
});
