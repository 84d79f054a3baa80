import { describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

interface Forward {
  readonly versions: readonly {
    readonly version: string;
    readonly same: readonly number[];
    readonly unknown: string | null;
  }[];
}

describe('trace --forward past rows that were dropped and that only code of one’s own makes again', () => {
  it('tells of all other versions, and of those that nobody can tell', async () => {
    const box = await Sandbox.make({
      'a.jsonl': lines(Array.from({ length: 8 }, (_, n) => ({ n }))),
      'b.jsonl': lines([{ n: 100 }]),
      'up.mjs': 'export default (row) => ({ ...row, n: row.n + 10 });\n',
    });
    try {
      await box.told(['init']);
      for (const name of ['a', 'b']) await box.told(['add', name, `${name}.jsonl`]);
      await box.told(['transform', 'a', 'own', '--step', 'module: {path: up.mjs}']);
      await box.told(['transform', 'own', 'fewer', '--step', 'filter: {where: "n > 11"}']);
      await box.told(['transform', 'a', 'head', '--step', 'head: {n: 4}']);
      for (const name of ['fewer', 'own']) await box.told(['drop', name, '--run-code']);
      const says = 'own@1 was dropped, and code of your own makes it: reading does not run that';
      const forward = async (name: string): Promise<unknown> => {
        const { versions } = await box.json<Forward>(['trace', '--forward', name, '--row', '1']);
        return versions.map(({ version, same, unknown }) => [version, same, unknown]);
      };
      const dropped = [
        ['own@1', [], says],
        ['fewer@1', [], says],
      ];
      expect(await forward('a')).toEqual([['a@1', [0], null], ...dropped, ['head@1', [0], null]]);
      expect(await forward('b')).toEqual([['b@1', [0], null], ...dropped]);
      expect((await box.run(['trace', '--forward', 'own', '--row', '1'])).stderr).toContain(says);
    } finally {
      await box.remove();
    }
  });
});
