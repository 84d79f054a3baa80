import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { HoldoutError } from '../../dist/src/errors.js';
import { openStoreEngine } from '../../dist/src/snapshots/store-engine.js';
import { verifyStore } from '../../dist/src/snapshots/verify.js';
import { builtInTransforms } from '../../dist/transforms/index.js';
import { edgeTables, otherTables, paramsFor } from './edge-tables.ts';
import { OwnSteps } from './own-steps.ts';

/** For each step and table the number of rows that it leaves, or how it is refused. */
const expected = JSON.parse(readFileSync(new URL('edge-tables.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, number | string>>>
>;

/** The leak check first: its report is what `remove` takes. */
const steps = builtInTransforms
  .map(({ name, kind, example }) => ({ step: name.replace('holdout/', ''), kind, example }))
  .toSorted((a, b) => Number(b.step === 'decontaminate') - Number(a.step === 'decontaminate'));

describe.each(edgeTables)('on the table $name', (table) => {
  let project: OwnSteps;
  let report = `sha256:${'0'.repeat(64)}`;
  beforeAll(async () => {
    project = await OwnSteps.make([{ a: 1 }], { 'same.mjs': 'export default (row) => row;' });
    const { workspace } = project;
    for (const [name, lines] of Object.entries(otherTables)) {
      await workspace.add(name, await workspace.write(`${name}.jsonl`, lines), name === 'held' ? { role: 'eval' } : {});
    }
    const { name, lines, schema } = table;
    await workspace.add(name, await workspace.write(`${name}.jsonl`, lines), schema === null ? {} : { schema });
  });
  afterAll(() => project.workspace.remove());

  it.each(steps)('$step gives its rows, or says in one sentence why not', async ({ step, kind, example }) => {
    const { record: before } = await project.workspace.version(table.name);
    const names = await project.names();
    const params = paramsFor(step, table, report) ?? Object.values(parse(example) as object)[0];
    const taken = await project.take(JSON.stringify({ [step]: params }), { from: table.name, to: step }).catch(refusal);
    const outcome = typeof taken === 'string' ? taken : taken.rows;
    expect({ [table.name]: outcome }).toEqual({ [table.name]: expected[step]?.[table.name] });
    if (typeof taken === 'string') {
      expect(await project.names()).toEqual(names);
      return;
    }
    if (step === 'decontaminate') report = taken.realisation.records![0]!;
    const { record: after } = await project.workspace.version(step);
    expect([after.rows, taken.rowsOut.length]).toEqual([taken.rows, taken.rows]);
    if (kind === 'selecting') expect(after.schema).toBe(before.schema);
    // Names are where a step run again could go another way; each reproduction reads the files anew.
    if (table.name === 'odd') expect(await project.reproduce(step)).toMatchObject({ state: 'same' });
  });

  it('what the steps stored is whole, row by row', async () => {
    const { store } = project.workspace;
    const engine = await openStoreEngine(store, { threads: 1 });
    try {
      expect(await verifyStore(store, { readData: true, engine })).toMatchObject({ ok: true, damages: [] });
    } finally {
      await engine.close();
    }
  });
});

/** The one sentence of a refusal. Any other error is a fault. */
function refusal(error: unknown): string {
  if (!(error instanceof HoldoutError)) throw error;
  return `${error.code}: ${error.message}`;
}
