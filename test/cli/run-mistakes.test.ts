import { afterEach, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.ts';

interface Shown {
  readonly name: string;
  readonly action: string;
  readonly reason: string | null;
  readonly error?: { readonly message: string; readonly file: string; readonly line: number; readonly column: number };
}

const rows = Array.from({ length: 12 }, (_, i) => ({ id: i, text: `${'word '.repeat(i)}end`, score: i / 2 }));
const items = [{ question: 'How many?', answer: 'three' }];

const boxes: Sandbox[] = [];
afterEach(async () => {
  for (const box of boxes.splice(0)) await box.remove();
});

/** A folder with `raw` and `ev` in its store, and a pipeline that has `steps` from line 7 on. */
async function makeBox(steps: readonly string[], evals = ''): Promise<Sandbox> {
  const box = await Sandbox.make({ 'raw.jsonl': lines(rows), 'ev.jsonl': lines(items) });
  boxes.push(box);
  await box.told(['init']);
  await box.told(['add', 'raw', 'raw.jsonl', '--role', 'train']);
  await box.told(['add', 'ev', 'ev.jsonl', '--role', 'eval']);
  await writeSteps(box, steps, evals);
  return box;
}

async function writeSteps(box: Sandbox, steps: readonly string[], evals = ''): Promise<void> {
  const listed = steps.map((step) => `      - ${step}\n`).join('');
  const head = 'version: 1\ndatasets:\n  raw: {files: raw.jsonl, role: train}\n  out:\n    from: raw\n    steps:\n';
  await box.write('holdout.yaml', `${head}${listed}${evals}`);
}

async function planned(box: Sandbox, name: string, status = 0): Promise<Shown> {
  const { datasets } = await box.json<{ datasets: readonly Shown[] }>(['run', '--dry-run'], status);
  return datasets.find((each) => each.name === name)!;
}

describe('a run that fails', () => {
  it('counts the datasets that failed at its end', async () => {
    const box = await makeBox(['filter: {where: "txt > 2"}']);
    const { stdout } = await box.run(['run']);
    expect(stdout).toMatch(/^holdout.lock: left as it is; 1 of 2 datasets failed$/m);
  });

  it('says in which dataset a column of the key is missing, and of a module that is none where', async () => {
    const box = await makeBox(['join: {dataset: ev, on: id}']);
    expect((await planned(box, 'out', 2)).reason).toContain('there is no column "id" in ev; ');
    await writeSteps(box, ['join: {dataset: ev, on: answer}']);
    expect((await planned(box, 'out', 2)).reason).toContain('there is no column "answer" in the input; ');
    for (const [wrong, says] of [
      ['const x = ;', /bad\.mjs:2:13: .*Expression expected$/m],
      ['if (row {', /bad\.mjs:2:11: .*Expected '\)', got '\{'$/m],
    ] as const) {
      await box.write('bad.mjs', `export default (row) => {\n  ${wrong}\n  return row;\n};\n`);
      await writeSteps(box, ['module: {path: bad.mjs}']);
      const { stderr } = await box.run(['run']);
      expect(stderr).toMatch(says);
    }
    await box.write('none.txt', '');
    await writeSteps(box, ['module: {path: none.txt}']);
    expect((await planned(box, 'out', 2)).reason).toContain('; a program in another language');
  });
});

describe('a dry run', () => {
  it.each([
    [['filter: {where: "length(txt) > 2"}'], 7, 'step 1 (filter): there is no column "txt"'],
    [['filter: {where: "length(text) >> > 2"}'], 7, 'step 1 (filter): there is no operator >>'],
    [['sql: {query: "SELEC id FROM input"}'], 7, 'step 1 (sql): syntax error at or near "SELEC" at character 1'],
    [['decontaminate: {against: [ev], fields: {question: [q]}}'], 7, 'step 1 (decontaminate): ev: there is no column'],
    [
      ['shuffle', 'derive: {columns: {long: "score > 2"}}', 'sort: {by: [lng]}'],
      9,
      'step 3 (sort): there is no column',
    ],
  ])('says what the run would say of a step whose columns are known: %j', async (steps, line, says) => {
    const box = await makeBox(steps);
    const { error } = await planned(box, 'out', 2);
    expect(error).toMatchObject({ file: 'holdout.yaml', line, column: 9 });
    expect(error!.message).toContain(says);
    const { datasets } = await box.json<{ datasets: readonly Shown[] }>(['run'], 2);
    expect(datasets.find(({ name }) => name === 'out')!.error).toEqual(error);
  });

  it('takes no step to fail for want of rows, and tries no code of a person', async () => {
    const box = await makeBox(['mixture: {weight: 1, with: [{dataset: ev, weight: 1}]}']);
    expect(await planned(box, 'out')).toMatchObject({ action: 'run' });
    await writeSteps(box, ['command: {run: touch ran.txt; cat}', 'select: {columns: [nothing]}']);
    expect(await planned(box, 'out')).toMatchObject({ action: 'run' });
    await expect(box.run(['id', 'ran.txt'])).resolves.toMatchObject({ status: 2 });
  });

  it('names the parameters that were edited as the reason of a run, not what follows from them', async () => {
    const box = await makeBox(['near-dedupe: {columns: [text]}']);
    await box.told(['run']);
    await writeSteps(box, ['near-dedupe: {columns: [text], threshold: 0.7}']);
    expect((await planned(box, 'out')).reason).toBe('step 1 (near-dedupe): threshold: 0.8 → 0.7');
    await writeSteps(box, ['near-dedupe: {columns: [text], threshold: 0.7, words: 3}']);
    expect((await planned(box, 'out')).reason).toBe('step 1 (near-dedupe): threshold: 0.8 → 0.7, words: 5 → 3');
    await writeSteps(box, ['near-dedupe: {columns: [text], bands: 3, rows: 4}']);
    expect((await planned(box, 'out')).reason).toBe('step 1 (near-dedupe): bands: 18 → 3, rows: 7 → 4');
  });
});

describe('an eval set of a pipeline', () => {
  it('that names a column which is not there is told once, with the place of the name', async () => {
    const box = await makeBox(['shuffle'], 'evals:\n  ev:\n    files: ev.jsonl\n    fields: {question: [qestion]}\n');
    const told = 'holdout.yaml:11:25: there is no column "qestion" to be the question';
    expect((await box.run(['run', 'ev', '--dry-run'])).stdout).toContain(told);
    expect((await box.run(['run', 'ev'])).stderr).toContain(`error: ev: ${told}\nhint: Did you mean "question"?`);
  });

  it('whose file is missing is told with the place of the file', async () => {
    const box = await makeBox(['shuffle'], 'evals:\n  ev: {files: [ev.jsonl, gone.jsonl]}\n');
    const told = 'holdout.yaml:9:26: gone.jsonl: no such file or folder';
    expect((await box.run(['run', 'ev', '--dry-run'])).stdout).toContain(told);
    expect((await box.run(['run', 'ev'])).stderr).toContain(`error: ev: ${told}`);
  });
});
