import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeValue, type Value } from '../../dist/src/identity/row-encoding.js';

/** Small values over few texts and numbers, so that pairs collide in whatever way a careless encoding lets them. */
const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => {
  const text = fc.constantFrom(
    '',
    'a',
    'b',
    'ab',
    '1',
    '0',
    'N',
    'T',
    'E',
    'O',
    ':',
    'S1:a',
    '1:a',
    'I1;',
    'L0:',
    'null',
  );
  const nanoseconds = fc.constantFrom(0n, 1n, -1n);
  return {
    value: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.constantFrom<Value>(null, true, false, 0n, 1n, -1n, 10n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n),
      fc.constantFrom<Value>(0, -0, 1, 0.5, 0.1, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 53 + 2),
      text,
      text.map((t) => new TextEncoder().encode(t)),
      fc
        .tuple(fc.constantFrom(0n, 1n, 5n, -5n, 10n, 100n), fc.nat(3))
        .map(([unscaled, scale]) => ({ kind: 'decimal' as const, unscaled, scale })),
      nanoseconds.map((days) => ({ kind: 'date' as const, days })),
      fc.constantFrom(0n, 1n).map((n) => ({ kind: 'time' as const, nanoseconds: n })),
      nanoseconds.map((n) => ({ kind: 'timestamp' as const, nanoseconds: n })),
      nanoseconds.map((n) => ({ kind: 'instant' as const, nanoseconds: n })),
      fc.array(tie('value'), { maxLength: 3 }),
      fc
        .uniqueArray(fc.tuple(text, tie('value')), { maxLength: 3, selector: ([name]) => name })
        .map((members) => ({ kind: 'object' as const, members })),
      fc
        .uniqueArray(fc.tuple(fc.constantFrom(0n, 1n, 10n), tie('value')), { maxLength: 3, selector: ([key]) => key })
        .map((entries) => ({ kind: 'map' as const, entries })),
    ),
  };
}).value;

/** What a value means, by the declared equalities of docs/FORMAT.md alone, as something to compare. */
function meaning(v: Value): unknown {
  if (v === null || typeof v === 'boolean') return ['plain', v];
  if (typeof v === 'string') return ['text', v];
  if (typeof v === 'bigint') return ['number', String(v)];
  if (typeof v === 'number') {
    const whole = Number.isInteger(v) && Math.abs(v) <= 2 ** 53;
    return whole ? ['number', String(BigInt(v))] : ['float', String(v)];
  }
  if (v instanceof Uint8Array) return ['bytes', [...v]];
  if (isList(v)) return ['list', v.map(meaning)];
  switch (v.kind) {
    case 'decimal':
      return v.unscaled % 10n ** BigInt(v.scale) === 0n
        ? ['number', String(v.unscaled / 10n ** BigInt(v.scale))]
        : ['decimal', String(v.unscaled * 10n ** BigInt(38 - v.scale))];
    case 'object':
      return ['object', sorted(v.members.filter(([, member]) => member !== null))];
    case 'map':
      return ['map', sorted(v.entries)];
    case 'date':
      return ['date', String(v.days)];
    case 'time':
    case 'timestamp':
    case 'instant':
      return [v.kind, String(v.nanoseconds)];
  }
  return v satisfies never;
}

function sorted(pairs: readonly (readonly [Value, Value])[]): readonly string[] {
  return pairs.map(([key, v]) => JSON.stringify([meaning(key), meaning(v)])).toSorted();
}

function isList(v: Exclude<Value, null>): v is readonly Value[] {
  return Array.isArray(v);
}

describe('the encoding', () => {
  it('is the same for two values only if they mean the same, and none begins another', () => {
    let equal = 0;
    fc.assert(
      fc.property(fc.array(value, { minLength: 30, maxLength: 30 }), (values) => {
        const known = values.map((v) => ({ text: encodeValue(v), meaning: JSON.stringify(meaning(v)) }));
        for (const [i, a] of known.entries()) {
          for (const b of known.slice(i + 1)) {
            expect(a.text === b.text, `${a.meaning} and ${b.meaning}`).toBe(a.meaning === b.meaning);
            if (a.text === b.text) equal++;
            else expect(a.text.startsWith(b.text) || b.text.startsWith(a.text), `${a.text} and ${b.text}`).toBe(false);
          }
        }
      }),
      { numRuns: 60 },
    );
    // Both ways were tried: the generator gives pairs that are equal, too.
    expect(equal).toBeGreaterThan(20);
  });
});
