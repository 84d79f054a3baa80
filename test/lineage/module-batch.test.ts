import { describe, expect, it } from 'vitest';
import { runBatch } from '../../dist/src/lineage/module-batch.js';
import type { RowFunction } from '../../dist/src/lineage/module-batch.js';
import type { BatchPiece, OnError } from '../../dist/src/lineage/module-messages.js';

const mb = 1 << 20;

/** Runs `count` rows `{"n":0}` … and shows each piece to `see`; keeps what is small of the pieces. */
async function run(
  transform: RowFunction,
  count: number,
  onError: OnError = 'fail',
  see?: (piece: BatchPiece) => void,
) {
  const text = Array.from({ length: count }, (_, n) => `{"n":${n}}\n`).join('');
  const begun: number[] = [];
  let [pieces, chars, largest, end] = [0, 0, 0, undefined as BatchPiece | undefined];
  const outputs: number[] = [];
  await runBatch(
    {
      transform,
      args: null,
      onError,
      changed: new Set(),
      atRow: (row) => void begun.push(row),
      give: (piece) => {
        expect(end).toBeUndefined();
        pieces += 1;
        chars += piece.text.length;
        largest = Math.max(largest, piece.text.length);
        outputs.push(...piece.outputs);
        if (piece.states !== null) end = piece;
        see?.(piece);
        return Promise.resolve();
      },
      failureOf: (error) => ({ says: String(error), at: null }),
    },
    { firstRow: 0, bytes: Buffer.from(text) },
  );
  return { pieces, chars, largest, outputs, begun, end: end! };
}

describe('a batch', () => {
  it('whose output is long leaves in small pieces', async () => {
    const text = 'x'.repeat(6 * mb);
    const { chars, largest, outputs, end } = await run((row) => ({ ...row, text }), 20);
    expect(chars).toBeGreaterThan(120 * mb);
    expect(largest).toBeLessThan(11 * mb);
    expect(outputs).toEqual(Array.from({ length: 20 }, (_, row) => row * 2 + 1));
    expect(end.states).toEqual(new Uint8Array(20));
  });

  it('of one row that gives very many leaves in pieces, and says after each that it is at that row', async () => {
    const text = 'x'.repeat(999);
    const seen: string[] = [];
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ i, text }));
    const { pieces, outputs, begun } = await run(
      () => rows,
      1,
      'fail',
      (piece) => seen.push(Buffer.from(piece.text).toString()),
    );
    expect(pieces).toBeGreaterThan(4);
    expect(begun).toEqual(Array.from({ length: pieces }, () => 0));
    expect(outputs).toHaveLength(rows.length);
    expect(seen.join('')).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  });

  it.each([
    ['few', 3],
    ['very many', 20_000],
  ])('drops or keeps a row of whose %s rows the last cannot be written, as a whole', async (_, count) => {
    const text = 'x'.repeat(999);
    const give: RowFunction = ({ n }) =>
      n === 1 ? [...Array.from({ length: count }, () => ({ text })), { text: 1n, no: () => 0 }] : { n, more: 1 };
    const dropped = await run(give, 3, 'drop');
    expect(dropped.outputs).toEqual([1, 5]);
    expect([...dropped.end.states!]).toEqual([0, 2, 0]);
    expect((await run(give, 3, 'keep')).outputs).toEqual([1, 2, 5]);
    expect((await run(give, 3)).end.stop).toMatchObject({
      row: 1,
      says: expect.stringContaining('"no" is a function'),
    });
  });

  it('ends at a row whose rows are others when they are written than when they were tried', async () => {
    const text = 'x'.repeat(999);
    let reads = 0;
    const give = () =>
      Array.from({ length: 9000 }, () => ({
        get text(): unknown {
          return (reads += 1) > 15_000 ? () => 0 : text;
        },
      }));
    expect((await run(give, 2, 'drop')).end.stop).toMatchObject({ row: 0 });
  });

  it('tells a row that is longer than a row may be, with the limit', async () => {
    const [a, b] = ['x'.repeat(128 * mb), 'y'.repeat(128 * mb)];
    const { end } = await run(() => ({ a, b }), 1);
    expect(end.stop).toMatchObject({ row: 0, says: expect.stringContaining('longer than 256 MB as JSON') });
  });
});
