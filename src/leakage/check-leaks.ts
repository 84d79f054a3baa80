/**
 * The leak check: eval items against training rows, from files or snapshots alike.
 * @module
 */
import { availableParallelism } from 'node:os';
import type { LeakHit, LeakReport } from '../../schemas/leak-report.ts';
import type { Engine } from '../engine/engine.ts';
import { CandidateFinder } from './candidates.ts';
import { Confirmer } from './confirm.ts';
import { evidenceOf } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import { prepareEvals, refuseSameNames } from './prepare.ts';
import type { PreparedEvals } from './prepare.ts';
import { writeReport } from './report.ts';
import { findEqualRows } from './row-equal.ts';
import { holdsText } from './row-text.ts';
import { scanPool, scanTable } from './scan.ts';
import type { ScanTotals } from './scan.ts';
import { findSymbolRows } from './symbol-rows.ts';
import { Tally } from './tally.ts';
import type { NamedEval, NamedTable } from './types.ts';

/** How far a check is. */
export interface LeakProgress {
  readonly train: string;
  /** Bytes of JSON lines scanned of this training set, and rows it has. */
  readonly bytes: number;
  readonly rows: number;
}

/** What is checked against what. */
export interface CheckOptions {
  /** An engine to register tables in. */
  readonly engine: Engine;
  readonly trains: readonly NamedTable[];
  /** Eval sets, or what `prepareEvals` made of them. */
  readonly evals: readonly NamedEval[] | PreparedEvals;
  readonly threads?: number | undefined;
  /** Whether suspects fail the check, too. */
  readonly failOn?: 'leak' | 'suspect' | undefined;
  readonly onProgress?: ((progress: LeakProgress) => void) | undefined;
  /** Receives each SQL statement that computes overlap. */
  readonly explain?: ((sql: string) => void) | undefined;
}

/** A report, and the way to the texts behind its hits. */
export interface CheckResult {
  readonly report: LeakReport;
  evidence(hit: LeakHit): Promise<Evidence>;
  /** The same for many hits, in one pass over the training sets. */
  evidenceOf(hits: readonly LeakHit[]): Promise<Evidence[]>;
}

/**
 * Checks training sets against eval sets.
 * @throws HoldoutError INPUT_INVALID when an eval set has no question, or a file changes while it is read; LIMIT, IO.
 * @throws TypeError when two sets of one side share a name.
 */
export async function checkLeaks(options: CheckOptions): Promise<CheckResult> {
  const { engine, trains, explain } = options;
  refuseSameNames(trains, 'trains');
  const prepared = 'sets' in options.evals ? options.evals : await prepareEvals(options.evals);
  const { sets: evals, items, index, digests: evalDigests } = prepared;

  const tally = new Tally();
  const notes: string[] = [];
  const totals: ScanTotals[] = [];
  const trainDigests: Uint8Array[] = [];
  const finder = new CandidateFinder(engine, index, once(explain));
  const threads = options.threads ?? availableParallelism();
  const pool = scanPool(index.table, threads);
  const confirmer = new Confirmer(index, tally, threads);
  try {
    for (const [trainIndex, train] of trains.entries()) {
      const digests = await train.reader.digests();
      trainDigests.push(digests);
      const equal = await findEqualRows(engine, evalDigests, digests, trainIndex === 0 ? explain : undefined);
      for (const { evalIndex, item, row } of equal) {
        const length = items[evalIndex]?.items[item]?.tokens.length ?? 0;
        tally.add({
          evalIndex,
          item,
          trainIndex,
          row,
          class: 'row-equal',
          leak: true,
          coverage: 1,
          longestRun: length,
        });
      }
      for (const [evalIndex, set] of evals.entries()) {
        const shared = new Set(equal.filter((pair) => pair.evalIndex === evalIndex).map(({ row }) => row));
        notes.push(...samenessNotes(train, set, shared.size));
      }
      let bytes = 0;
      const scanned = await scanTable(
        train,
        pool,
        async (batch) => confirmer.confirm(train, trainIndex, batch, await finder.find(batch)),
        (more) => options.onProgress?.({ train: train.name, bytes: (bytes += more), rows: train.reader.rows }),
      );
      await findSymbolRows(train, trainIndex, items, tally);
      // Dates and bytes are written as strings in JSON, but no column of such a set holds text.
      const textual = train.reader.schema.columns.some(({ type }) => holdsText(type));
      totals.push(textual ? scanned : { rows: scanned.rows, textless: scanned.rows });
    }
  } finally {
    await Promise.all([pool.close(), confirmer.close()]);
  }
  if (tally.findings.length > 0) {
    notes.push('Every leaking row and every leaked item is named; a row may hold further items beside those named.');
  }
  const failOn = options.failOn ?? 'leak';
  const parts = { trains, evals, items, index, totals, trainDigests, evalDigests, tally, notes, failOn };
  const source = { index, items, evalNames: evals.map(({ name }) => name), trains };
  return {
    report: writeReport(parts),
    async evidence(hit) {
      const [evidence] = await evidenceOf([hit], source);
      if (evidence === undefined) throw new TypeError('one hit has one evidence');
      return evidence;
    },
    evidenceOf: (hits) => evidenceOf(hits, source),
  };
}

function samenessNotes(train: NamedTable, set: NamedEval, sharedRows: number): string[] {
  const both = `${train.name} and ${set.name}`;
  if (train.table === set.table) return [`${both} are one table: this is a set checked against itself.`];
  if (train.setRoot !== undefined && train.setRoot === set.setRoot) {
    return [`${both} hold the same rows in another order: this is a set checked against itself.`];
  }
  if (sharedRows === 0) return [];
  const rows = sharedRows === 1 ? '1 row' : `${sharedRows} rows`;
  return [
    `${rows} of ${train.name} stand in ${set.name} as they are: the two look like splits of one dataset that overlap.`,
  ];
}

/** Passes each statement on once: a scan in many batches repeats itself. */
function once(explain: ((sql: string) => void) | undefined): ((sql: string) => void) | undefined {
  if (explain === undefined) return undefined;
  const seen = new Set<string>();
  return (sql) => {
    if (!seen.has(sql)) explain(sql);
    seen.add(sql);
  };
}
