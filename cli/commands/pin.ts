/**
 * `holdout pin`: pins a model's folder; `--verify` says whether a pin holds, `--compare` whether two may be compared.
 * @module
 */
import type { PinRecord, PinnedDataset, PinnedEval } from '../../schemas/pin.ts';
import { snapshotRecord } from '../../schemas/records.ts';
import { HoldoutError } from '../../src/errors.ts';
import { createPin, executePin, planPin } from '../../src/models/pin.ts';
import { uncoveredBy, versionName } from '../../src/models/pin-report.ts';
import type { Store } from '../../src/store/store.ts';
import type { Action, Invocation, Options } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { styled, writeJson, writeLines } from '../output.ts';
import { parseScore } from '../parse-options.ts';
import { startProgress } from '../progress.ts';
import { findReport, newestReport } from '../reports.ts';
import { plural, shortId } from '../text.ts';
import { compare } from './pin-compare.ts';
import { verify } from './pin-verify.ts';

/** Pins, verifies or compares. */
export const pin: Action = async (input) => {
  const { options, operands } = input;
  const modes = [options.flag('verify'), options.list('compare').length > 0].filter(Boolean).length;
  if (modes > 1) throw new HoldoutError('USAGE', '--verify and --compare exclude each other');
  if (options.list('compare').length > 0) return compare(input);
  const [modelDir] = operands;
  if (modelDir === undefined) {
    throw new HoldoutError('USAGE', 'MODEL_DIR is missing: the folder with the files of the model');
  }
  return options.flag('verify') ? verify(input, modelDir) : makePin(input, modelDir);
};

async function makePin({ context, options }: Invocation, modelDir: string): Promise<number> {
  const scores = options.list('score').map(parseScore);
  const store = await context.openStore();
  const trains = (await findDatasets(store, options.list('train'))).map(({ pinned }) => pinned);
  const evals = (await findDatasets(store, options.list('eval'))).map(asEval);
  if (trains.length + evals.length === 0) {
    throw new HoldoutError('USAGE', 'nothing to pin: name training data by --train, eval sets by --eval');
  }
  const both = { train: trains, eval: evals };
  const report = await chooseReport(store, options, both);
  const progress = startProgress(`hashing ${modelDir}`);
  const record = await createPin({
    modelDir,
    holdoutVersion: context.holdoutVersion,
    trains,
    evals,
    report,
    scores,
    onProgress: (bytes) => progress.update(bytes),
  }).finally(() => progress.end());
  const refused = options.flag('requireClean') ? unclean(record) : null;
  if (refused !== null) {
    if (context.json) await writeJson({ says: record.says, pin: null, path: null, card: null, replaced: null, record });
    else await writeLines([styled('red', record.says), 'Nothing was pinned: --require-clean']);
    return refused;
  }
  const plan = await planPin(modelDir, record, { card: !options.refused('card') });
  await store.putRecord(record);
  const written = await executePin(plan);
  await store.commit(
    ({ pins }) => (pins.at(-1)?.pin === written.id ? null : { op: 'pin', pin: written.id }),
    context.now(),
  );
  const { card, id, path, replaced } = written;
  if (context.json) await writeJson({ says: record.says, pin: id, path, card, replaced, record });
  else {
    const cards = {
      written: 'README.md: its holdout: entry is written',
      unchanged: 'README.md: its holdout: entry stands',
    };
    await writeLines([
      styled(record.says.startsWith('Clean') ? 'green' : 'yellow', record.says),
      `Pinned ${plural(record.files.length, 'file')} of ${modelDir} in ${path}`,
      ...record.train.map(
        (each) => `  train  ${versionName(each)}  ${shortId(each.table)}  ${plural(each.rows, 'row')}`,
      ),
      ...record.eval.map(
        (each) => `  eval   ${versionName(each)}  ${shortId(each.table)}  items ${shortId(each.itemsRoot)}`,
      ),
      ...record.scores.map((score) => `  score  ${score.eval} ${score.metric} = ${score.value}`),
      ...(typeof card === 'object'
        ? [`README.md is left alone: ${card.left}`]
        : card === 'absent'
          ? []
          : [cards[card]]),
      `Pin ${id}`,
      ...(replaced === null ? [] : [`replaced the pin ${replaced} of this folder`]),
    ]);
  }
  return exitStatus.ok;
}

/** Exit status for a pin that `--require-clean` refuses; null for one whose report covers it and is clean. */
function unclean({ report }: PinRecord): number | null {
  if (report?.state === 'current' && report.verdict === 'clean') return null;
  return report?.state === 'current' && report.verdict === 'leak' ? exitStatus.found : exitStatus.cannotTell;
}

/** A version as a pin names it, with what makes it an eval set. */
interface FoundDataset {
  readonly pinned: PinnedDataset;
  readonly itemsRoot: PinnedEval['itemsRoot'] | null;
  readonly fields: PinnedEval['fields'];
}

async function findDatasets(store: Store, names: readonly string[]): Promise<FoundDataset[]> {
  const found: FoundDataset[] = [];
  for (const name of names) {
    const entry = await versionEntry(store, name);
    const { table, schema, setRoot, rows, role, itemsRoot, fields } = await store.getRecord(
      entry.snapshot,
      snapshotRecord,
    );
    const identity = { name: entry.name, version: entry.version, snapshot: entry.snapshot };
    found.push({ pinned: { ...identity, table, schema, setRoot, rows, role }, itemsRoot, fields });
  }
  return found;
}

function asEval({ pinned, itemsRoot, fields }: FoundDataset): PinnedEval {
  if (itemsRoot !== null) return { ...pinned, itemsRoot, fields };
  throw new HoldoutError('USAGE', `${versionName(pinned)} has no items: it was not added as an eval set`, {
    hint: `holdout add ${pinned.name} FILES… --role eval --fields question=COLUMN makes a version that has`,
  });
}

/** The report named, or the newest stored one that covers what is pinned. */
async function chooseReport(
  store: Store,
  options: Options,
  what: Parameters<typeof uncoveredBy>[1],
): ReturnType<typeof newestReport> {
  const named = options.text('report');
  if (named !== undefined) return findReport(store, named);
  if (what.train.length === 0 || what.eval.length === 0) return null;
  return newestReport(store, (report) => uncoveredBy(report, what).length === 0);
}
