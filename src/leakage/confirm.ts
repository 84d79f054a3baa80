/**
 * Confirms the candidates of batches: the first rows in this thread, where there are many in threads that each hold the
 * eval index. What is found does not depend on which, as `judge.ts` says.
 * @module
 */
import { WorkerPool } from '../worker-pool.ts';
import { type Candidates, candidateWidth } from './candidates.ts';
import type { EvalIndex } from './eval-index.ts';
import { wayGiver } from './give-way.ts';
import { Judge, type JudgedPair, type RowsToJudge, isSettled } from './judge.ts';
import type { LinePlace } from './line-reader.ts';
import type { HitBatch } from './scan.ts';
import { shareIndex } from './share-index.ts';
import type { Tally } from './tally.ts';
import type { NamedTable } from './types.ts';

/** So many rows are read in this thread first: threads are each given a copy of the items, which costs as much. */
const readHereMax = 4096;
/** Rows of a task: some tens of milliseconds where all are read. */
const taskRows = 256;

/** Adds what candidates come to, to a tally. */
export class Confirmer {
  readonly #index: EvalIndex;
  readonly #tally: Tally;
  readonly #threads: number;
  readonly #judge: Judge;
  #pool: WorkerPool<RowsToJudge, readonly JudgedPair[]> | null = null;
  #readHere = 0;

  constructor(index: EvalIndex, tally: Tally, threads: number) {
    this.#index = index;
    this.#tally = tally;
    this.#threads = threads;
    this.#judge = new Judge(index, tally);
  }

  /**
   * Judges the candidates of a batch, row by row.
   * @throws HoldoutError `IO`, `LIMIT`
   */
  async confirm(train: NamedTable, trainIndex: number, batch: HitBatch, candidates: Candidates): Promise<void> {
    const { firstRow, hits, lines } = batch;
    const rows = { trainIndex, schema: train.reader.schema, firstRow, hits, candidates, lines };
    const isHere = this.#threads === 1 || this.#readHere < readHereMax;
    const from = isHere ? await this.#confirmHere(rows) : 0;
    if (from < candidates.length) await this.#confirmThere(rows, from);
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }

  /** Judges in this thread until enough was read. @returns where the candidates go on that are left */
  async #confirmHere(rows: RowsToJudge): Promise<number> {
    const giveWay = wayGiver();
    for (const { next } of this.#judge.judge(rows)) {
      this.#readHere++;
      if (this.#threads > 1 && this.#readHere >= readHereMax) return next;
      await giveWay();
    }
    return rows.candidates.length;
  }

  /** Judges the candidates from `from` on in threads. */
  async #confirmThere(rows: RowsToJudge, from: number): Promise<void> {
    const { trainIndex } = rows;
    const pool = (this.#pool ??= judgePool(this.#index, this.#threads));
    for await (const { done } of pool.runAll(tasksOf(rows, from), (task) => pool.run(task))) {
      for (const { form, bound, findings } of done) {
        const [first] = findings;
        const known = this.#index.forms[form];
        if (first === undefined || known === undefined) continue;
        if (isSettled(known, bound, trainIndex, first.row, this.#tally)) continue;
        for (const finding of findings) this.#tally.add(finding);
      }
    }
  }
}

function judgePool(index: EvalIndex, threads: number): WorkerPool<RowsToJudge, readonly JudgedPair[]> {
  const module = new URL('./judge-worker.js', import.meta.url);
  return new WorkerPool({ module, settings: shareIndex(index), threads, does: 'confirms leaks' });
}

/** Cuts what is left of a batch between rows. */
function* tasksOf({ hits, candidates, lines, ...rest }: RowsToJudge, start: number): Generator<RowsToJudge> {
  let hit = 0;
  while (hit < hits.length && hits[hit]! < candidates[start]!) hit += 2;
  for (let from = start; from < candidates.length;) {
    const places = new Map<number, LinePlace>();
    let to = from;
    for (; to < candidates.length; to += candidateWidth) {
      const row = candidates[to]!;
      if (places.has(row)) continue;
      if (places.size === taskRows) break;
      const place = lines.get(row);
      if (place === undefined) throw new TypeError(`row ${rest.firstRow + row} has hits but no line`);
      places.set(row, place);
    }
    const firstHit = hit;
    const lastRow = candidates[to - candidateWidth]!;
    while (hit < hits.length && hits[hit]! <= lastRow) hit += 2;
    yield { ...rest, hits: hits.slice(firstHit, hit), candidates: candidates.slice(from, to), lines: places };
    from = to;
  }
}
