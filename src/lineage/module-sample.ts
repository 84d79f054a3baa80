/**
 * The check of determinism of a person's module: a sample of rows goes through it twice. Of what that comes to no more is
 * kept than fits in memory, however much a row gives.
 * @module
 */
import type { BatchPiece, ModuleBatch } from './module-messages.ts';
import { ModulePool, type PoolOptions } from './module-pool.ts';
import type { ModuleRun } from './module-process.ts';
import { checkSameLines, sampleCharsMax, sampleRows } from './sample-check.ts';

/** The second run goes in small batches, last ones first. */
const checkBatchRows = 37;
/** What keeping a line takes beside its text. */
const lineCharsMin = 32;

/**
 * Runs rows twice.
 * @throws HoldoutError NOT_DETERMINISTIC where what comes out differs; as the pool does
 */
export async function checkModuleSample(run: ModuleRun, input: readonly string[]): Promise<void> {
  const first = await runSample(run, { name: 'first', workers: 1 }, input, cutLines(input, sampleRows));
  // Rows that give very much are tried alone.
  const lines = first.whole ? input : input.slice(0, Math.max(1, first.rowsDone));
  const batches = cutLines(lines, checkBatchRows).toReversed();
  const other = { name: 'second', workers: Math.min(2, batches.length), clockAhead: true };
  const second = await runSample(run, other, lines, batches);
  checkSameLines(
    first.of(lines),
    second.of(lines),
    'other batches of rows in another order, in fresh processes, with another clock',
  );
}

/** What a sample came to, up to so many characters; the rest of what its last row came to is not kept. */
class SampleOutput {
  whole = true;
  /** Rows whose output is all there, when it is too much. */
  rowsDone = 0;
  readonly #lines: string[][] = [];
  #chars = 0;

  add({ firstRow, outputs, text }: BatchPiece, input: readonly string[]): void {
    const made = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString().split('\n');
    let next = 0;
    for (const output of outputs) {
      const row = firstRow + (output >>> 1);
      const line = output % 2 === 1 ? made[next++]! : input[row]!;
      if (this.#chars > sampleCharsMax) continue;
      this.#chars += line.length + lineCharsMin;
      (this.#lines[row] ??= []).push(line);
      this.rowsDone = row;
    }
    this.whole = this.#chars <= sampleCharsMax;
  }

  /** The lines of the sample's rows, in their order. */
  of({ length }: readonly string[]): string[] {
    return Array.from({ length }, (_, row) => this.#lines[row] ?? []).flat();
  }
}

async function runSample(
  run: ModuleRun,
  options: PoolOptions,
  input: readonly string[],
  batches: readonly ModuleBatch[],
): Promise<SampleOutput> {
  const pool = new ModulePool(run, { ...options, quiet: true });
  const output = new SampleOutput();
  try {
    for await (const piece of pool.runAll(batches)) {
      output.add(piece, input);
      if (!output.whole && options.workers === 1) break;
    }
    return output;
  } finally {
    await pool.close();
  }
}

function cutLines(lines: readonly string[], rows: number): ModuleBatch[] {
  return Array.from({ length: Math.ceil(lines.length / rows) }, (_, index) => {
    const firstRow = index * rows;
    const text = lines.slice(firstRow, firstRow + rows).map((line) => `${line}\n`);
    return { firstRow, bytes: new TextEncoder().encode(text.join('')) };
  });
}
