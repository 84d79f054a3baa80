/**
 * `holdout check`: do eval items stand in training data? Works on files without a store; in a store the report is kept.
 * @module
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { LeakHit, LeakReport } from '../../schemas/leak-report.ts';
import { HoldoutError } from '../../src/errors.ts';
import { type CheckResult, checkLeaks } from '../../src/leakage/check-leaks.ts';
import type { Evidence } from '../../src/leakage/evidence.ts';
import type { Store } from '../../src/store/store.ts';
import { type CheckRequest, type CheckSets, openCheckSets } from '../check-sets.ts';
import { listedHits, reportLines } from '../check-text.ts';
import type { Action, Options } from '../command-spec.ts';
import type { CliContext } from '../context.ts';
import { exitStatus } from '../exit-codes.ts';
import { remark, writeJson, writeLines } from '../output.ts';
import { parseCount, parseFields, parseFormat } from '../parse-options.ts';
import { startProgress } from '../progress.ts';
import { readSchemaOption } from '../schema-text.ts';
import { shortId } from '../text.ts';

const hitsListed = 10;

/** Checks every training set against every eval set. */
export const check: Action = async ({ context, operands, options }) => {
  const request = await readRequest(operands, options);
  const limit = parseCount('--limit', options.text('limit')) ?? hitsListed;
  const failOn = readFailOn(options.text('failOn'));
  const store = await storeFor(context, options);
  const sets = await openCheckSets(context, store, request);
  for (const line of sets.remarks) remark(line);
  const result = await runCheck(sets, { threads: context.threads, failOn, explain: options.flag('explain') });
  const { report } = result;
  const shown = options.flag('evidence') ? listedHits(report, limit) : [];
  const texts = await result.evidenceOf(shown);
  const id = store === null || !isKept(options, sets) ? null : await keepReport(store, report, context.now());
  const output = options.text('output');
  if (output !== undefined) await writeReport(output, report);
  if (context.json) await writeJson(reportJson(report, id, shown, texts, options.flag('evidence')));
  else {
    const evidence = new Map(shown.map((hit, index) => [hit, texts[index]] as const).filter(hasText));
    await writeLines(reportLines(report, { limit, evidence }));
    if (id !== null) await writeLines([`Report ${shortId(id)} is kept in the store`]);
    if (output !== undefined) await writeLines([`Report written to ${output}`]);
    if (report.verdict === 'leak') await writeLines(removalHint(sets, id));
  }
  return statusOf(report, options.flag('allowIncomplete'));
};

/** Reports of plain files alone are kept only when that is asked for. */
function isKept(options: Options, sets: CheckSets): boolean {
  return options.flag('save') || (sets.hasSnapshot && !options.refused('save'));
}

function hasText(pair: readonly [LeakHit, Evidence | undefined]): pair is readonly [LeakHit, Evidence] {
  return pair[1] !== undefined;
}

async function readRequest(operands: readonly string[], options: Options): Promise<CheckRequest> {
  const evals = options.list('against');
  const all = options.flag('all');
  if (evals.length === 0) {
    throw new HoldoutError('USAGE', '--against EVAL… says which eval sets to look for', {
      hint: 'for example: holdout check train.jsonl --against eval.jsonl',
    });
  }
  if (operands.length === 0 && !all) {
    throw new HoldoutError('USAGE', 'no training set was named', {
      hint: 'name them before --against: holdout check train.jsonl --against eval.jsonl, or use --all in a store',
    });
  }
  if ([...operands, ...evals].filter((argument) => argument === '-').length > 1) {
    throw new HoldoutError('USAGE', 'standard input (-) can be read once only');
  }
  const declared = options.text('schema');
  const reading = {
    format: parseFormat(options.text('format')),
    schema: declared === undefined ? undefined : await readSchemaOption(declared),
    infer: options.flag('infer'),
  };
  return { trains: operands, evals, all, fields: parseFields(options.list('fields')), reading };
}

function readFailOn(value: string | undefined): 'leak' | 'suspect' {
  if (value === undefined || value === 'leak') return 'leak';
  if (value === 'suspect') return 'suspect';
  throw new HoldoutError('USAGE', `--fail-on takes leak or suspect, got "${value}"`);
}

/** The store where there is one. A check of plain files does not need it, nor does it fail for a broken one. */
async function storeFor(context: CliContext, options: Options): Promise<Store | null> {
  if (options.flag('save')) return context.openStore();
  try {
    return await context.findStore();
  } catch (error) {
    if (!(error instanceof HoldoutError) || error.code !== 'STORE_UNUSABLE') throw error;
    remark(`going on without the store: ${error.message}`);
    return null;
  }
}

interface HowToCheck {
  readonly threads: number;
  readonly failOn: 'leak' | 'suspect';
  readonly explain: boolean;
}

async function runCheck(sets: CheckSets, { threads, failOn, explain }: HowToCheck): Promise<CheckResult> {
  const progress = startProgress('checking');
  let current = '';
  const totals = new Map(
    await Promise.all(sets.trains.map(async (train) => [train.name, await bytesOf(train)] as const)),
  );
  try {
    return await checkLeaks({
      engine: sets.engine,
      trains: sets.trains,
      evals: sets.evals,
      threads,
      failOn,
      explain: explain ? (sql) => remark(`${sql};\n`) : undefined,
      onProgress({ train, bytes }) {
        if (train !== current) progress.phase(`checking ${train}`);
        current = train;
        progress.update(bytes, totals.get(train));
      },
    });
  } finally {
    progress.end();
  }
}

/** Bytes that the scan of a training set reads, where they are lines of files. */
async function bytesOf({ rawLines }: CheckSets['trains'][number]): Promise<number | undefined> {
  if (rawLines === undefined) return undefined;
  const sizes = await Promise.all(rawLines.map(async ({ path }) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Writes the report to a file; one that is there already is replaced only where it is a report too. */
async function writeReport(path: string, report: LeakReport): Promise<void> {
  const text = `${JSON.stringify(report, null, 2)}\n`;
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!isReport(await readFile(path, 'utf8'))) {
      throw new HoldoutError('USAGE', `${path} exists and is no leak report: it is left as it is`, {
        hint: 'name another file for the report',
        cause: error,
      });
    }
    await writeFile(path, text);
  }
}

function isReport(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'format' in value && value.format === 'holdout/leak-report@1';
  } catch {
    // Not JSON, so not a report.
    return false;
  }
}

async function keepReport(store: Store, report: LeakReport, now: Date): Promise<Sha256Id> {
  const id = await store.putRecord(report);
  await store.commit(({ reports }) => (reports.at(-1)?.report === id ? null : { op: 'report', report: id }), now);
  return id;
}

function reportJson(
  report: LeakReport,
  id: Sha256Id | null,
  shown: readonly LeakHit[],
  texts: readonly Evidence[],
  withEvidence: boolean,
): unknown {
  const evidence = shown.map((hit, index) => ({ hit, eval: texts[index]?.item, train: texts[index]?.row }));
  return { ...(id === null ? {} : { id }), ...report, ...(withEvidence ? { evidence } : {}) };
}

function removalHint(sets: CheckSets, id: Sha256Id | null): string[] {
  const [train] = sets.trains;
  if (id === null || train === undefined || !train.name.includes('@')) return [];
  return [`To remove those rows: holdout remove ${train.name} --hits ${shortId(id)}`];
}

function statusOf({ verdict }: LeakReport, allowIncomplete: boolean): number {
  if (verdict === 'clean') return exitStatus.ok;
  if (verdict === 'leak') return exitStatus.found;
  return allowIncomplete ? exitStatus.ok : exitStatus.cannotTell;
}
