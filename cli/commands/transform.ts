/**
 * `holdout transform`: one or more steps from a version to the next version of a name.
 * @module
 */
import { schemaId } from '../../src/identity/ids.ts';
import { HoldoutError } from '../../src/errors.ts';
import { codeFolder } from '../../src/lineage/code-folder.ts';
import { deriveChain, planChain } from '../../src/lineage/derive-chain.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import { shortStepName } from '../../src/lineage/find-step.ts';
import type { Action } from '../command-spec.ts';
import { openChain } from '../derive.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { parseStep } from '../parse-step.ts';
import { stepJson, stepLines } from '../step-text.ts';
import { entryName } from '../snapshots.ts';
import { plural } from '../text.ts';
import { warnOfUndeclared } from '../undeclared-files.ts';

/** Runs the steps and journals the last output, or with `--dry-run` says what would come of them. */
export const transform: Action = async ({ context, operands, options }) => {
  const [from = '', name = ''] = operands;
  const texts = options.list('step');
  if (texts.length === 0) {
    throw new HoldoutError('USAGE', '--step says what to do', {
      hint: `for example --step 'filter: {where: "length(output) > 20"}'; \`holdout transforms\` lists the steps`,
    });
  }
  const steps = texts.map((text) => parseStep(text, builtInTransforms));
  const store = await context.openStore();
  const folder = await codeFolder(steps, [process.cwd(), store.projectRoot]);
  await warnOfUndeclared(
    folder,
    steps.map((step, index) => ({ step, named: `step ${index + 1} (${shortStepName(step.name)})` })),
  );
  const base = await versionEntry(store, from);
  const engine = await context.openEngine(store);
  const { run, reader } = await openChain(context, { store, engine, base, name, steps, folder });
  if (options.flag('dryRun')) {
    const planned = await planChain(run);
    const { table, rows } = planned.at(-1)!;
    if (context.json) await writeJson({ name, table, rows, dryRun: true, steps: planned.map(stepJson) });
    else {
      const last = `${name} would be ${plural(rows, 'row')}, from ${entryName(base)}; nothing was kept`;
      await writeLines([...planned.flatMap((step, index) => stepLines(step, index)), last, `  table ${table}`]);
    }
    return exitStatus.ok;
  }
  const { version: made, steps: taken } = await deriveChain(run);
  const { table, setRoot, itemsRoot, rows } = made.record;
  if (context.json) {
    const ids = { name: made.name, version: made.version, snapshot: made.snapshot, table };
    const more = { schema: schemaId(reader.schema), setRoot, itemsRoot, rows };
    await writeJson({ ...ids, ...more, new: made.isNew, dryRun: false, steps: taken.map(stepJson) });
    return exitStatus.ok;
  }
  const last = made.isNew
    ? `${entryName(made)}: ${plural(rows, 'row')}, from ${entryName(base)}`
    : `${entryName(made)} holds this content already; no new version`;
  await writeLines([...taken.flatMap((step, index) => stepLines(step, index)), last, `  table ${table}`]);
  return exitStatus.ok;
};
