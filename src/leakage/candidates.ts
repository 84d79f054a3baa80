/**
 * From hits to candidate pairs of row and form, in SQL. A form's frequent runs are dropped first: they would pair every
 * row with every item and decide nothing.
 *
 * The rule is sound. Let a form have L tokens, and let D be the dropped positions, chosen such that their runs cover
 * fewer than c·L tokens. What a row covers is at most what D covers plus the sum of the lengths of its other hits'
 * runs. So a pair whose coverage is c or more has hits outside D whose lengths sum to at least c·L − |D covers|, and
 * that sum is what the query asks for. Dropping chooses speed only, never the outcome.
 * @module
 */
import type { Engine } from '../engine/engine.ts';
import type { EvalIndex, Form } from './eval-index.ts';
import type { HitBatch } from './scan.ts';

/**
 * Pairs to look at, three numbers each: the row, counted from the batch's first; the form; and how many of the form's
 * tokens the row covers at most.
 */
export type Candidates = Int32Array;

/** Numbers of a candidate. */
export const candidateWidth = 3;

const candidatesSql = `-- holdout_hits (train_row INTEGER, gram INTEGER): which runs of the eval items stand in which row of the batch
-- holdout_seeds (gram INTEGER, form INTEGER, span INTEGER): runs that count for a form (a question, a passage), tokens each
-- holdout_needs (form INTEGER, need INTEGER, dropped INTEGER): tokens a form needs, and those that frequent runs may cover
SELECT h.train_row, s.form, any_value(n.dropped) + sum(s.span) AS bound
FROM holdout_hits AS h JOIN holdout_seeds AS s USING (gram) JOIN holdout_needs AS n USING (form)
GROUP BY h.train_row, s.form
HAVING sum(s.span) >= any_value(n.need)
ORDER BY h.train_row, bound DESC, s.form`;

/** Finds the candidates of batches of hits. */
export class CandidateFinder {
  readonly #engine: Engine;
  readonly #index: EvalIndex;
  /** Forms that have a run, by the run's number in the kernel's table. */
  readonly #formsOf: (number[] | undefined)[] = [];
  readonly #explain: ((sql: string) => void) | undefined;

  constructor(engine: Engine, index: EvalIndex, explain?: (sql: string) => void) {
    this.#engine = engine;
    this.#index = index;
    this.#explain = explain;
    for (const [number, form] of index.forms.entries()) {
      for (const gram of new Set(form.grams)) {
        const run = index.kernelRun[gram] ?? -1;
        const forms = (this.#formsOf[run] ??= []);
        if (forms.at(-1) !== number) forms.push(number);
      }
    }
  }

  /** The candidates among a batch's rows, by row, likeliest first. */
  async find(batch: HitBatch): Promise<Candidates> {
    await this.#register(batch);
    this.#explain?.(candidatesSql);
    const candidates: number[] = [];
    await this.#engine.scan(candidatesSql, (chunk) => {
      for (let i = 0; i < chunk.rows; i++) {
        for (let column = 0; column < candidateWidth; column++) candidates.push(Number(chunk.value(column, i)));
      }
    });
    return Int32Array.from(candidates);
  }

  async #register(batch: HitBatch): Promise<void> {
    const count = batch.hits.length / 2;
    const rows = new Int32Array(count);
    const grams = new Int32Array(count);
    const frequency = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      rows[i] = batch.hits[2 * i] ?? 0;
      const gram = batch.hits[2 * i + 1] ?? 0;
      grams[i] = gram;
      frequency.set(gram, (frequency.get(gram) ?? 0) + 1);
    }
    const touched = new Set<number>();
    for (const run of frequency.keys()) for (const form of this.#formsOf[run] ?? []) touched.add(form);
    const seeds: Seed[] = [];
    const needs: Need[] = [];
    for (const number of touched) {
      const form = this.#index.forms[number];
      if (form !== undefined) this.#plan(form, number, frequency, seeds, needs);
    }
    await this.#engine.registerTable('holdout_hits', [
      { name: 'train_row', type: 'INTEGER', values: rows },
      { name: 'gram', type: 'INTEGER', values: grams },
    ]);
    await this.#engine.registerTable('holdout_seeds', [
      { name: 'gram', type: 'INTEGER', values: Int32Array.from(seeds, (seed) => seed.gram) },
      { name: 'form', type: 'INTEGER', values: Int32Array.from(seeds, (seed) => seed.form) },
      { name: 'span', type: 'INTEGER', values: Int32Array.from(seeds, (seed) => seed.span) },
    ]);
    await this.#engine.registerTable('holdout_needs', [
      { name: 'form', type: 'INTEGER', values: Int32Array.from(needs, (need) => need.form) },
      { name: 'need', type: 'INTEGER', values: Int32Array.from(needs, (need) => need.need) },
      { name: 'dropped', type: 'INTEGER', values: Int32Array.from(needs, (need) => need.dropped) },
    ]);
  }

  /** Chooses a form's dropped positions by how often their runs stand in the batch and in the sets, and adds the rest. */
  #plan(form: Form, number: number, frequency: ReadonlyMap<number, number>, seeds: Seed[], needs: Need[]): void {
    const runs = Array.from(form.grams, (gram) => this.#index.kernelRun[gram] ?? -1);
    const cost = (run: number): number => (frequency.get(run) ?? 0) * (this.#formsOf[run]?.length ?? 0);
    const places = [...runs.keys()].sort((a, b) => cost(runs[b] ?? -1) - cost(runs[a] ?? -1));
    const covered = new Uint8Array(form.length);
    const limit = form.coverageMin * form.length;
    let coveredCount = 0;
    const spans = new Map<number, number>();
    for (const place of places) {
      const run = runs[place] ?? -1;
      let added = 0;
      for (let i = place; i < place + form.n; i++) added += covered[i] === 0 ? 1 : 0;
      // A run that does not stand in the batch is no seed anyway: keep the room for those that do.
      if (!frequency.has(run)) continue;
      if (coveredCount + added < limit) {
        covered.fill(1, place, place + form.n);
        coveredCount += added;
      } else {
        spans.set(run, (spans.get(run) ?? 0) + form.n);
      }
    }
    for (const [gram, span] of spans) seeds.push({ gram, form: number, span });
    needs.push({
      form: number,
      need: Math.max(1, Math.ceil(limit - coveredCount - 1e-9)),
      dropped: coveredCount,
    });
  }
}

interface Seed {
  readonly gram: number;
  readonly form: number;
  readonly span: number;
}

interface Need {
  readonly form: number;
  readonly need: number;
  readonly dropped: number;
}
