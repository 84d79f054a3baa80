/**
 * `holdout pin --compare A B`: may the scores of two pins be set side by side?
 * @module
 */
import { HoldoutError } from '../../src/errors.ts';
import { comparePins } from '../../src/models/compare-pins.ts';
import { readPin } from '../../src/models/pin.ts';
import type { Invocation } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { styled, writeJson, writeLines } from '../output.ts';
import { alignTable } from '../text.ts';

/** Compares two pins, given as `--compare A B` or as `A --compare B`. */
export async function compare({ context, operands, options }: Invocation): Promise<number> {
  const [a, b, more] = [...operands, ...options.list('compare')];
  if (a === undefined || b === undefined || more !== undefined) {
    throw new HoldoutError('USAGE', '--compare takes two model folders or pin files', {
      hint: 'holdout pin --compare model-a/ model-b/',
    });
  }
  const comparison = comparePins((await readPin(a)).pin, (await readPin(b)).pin);
  const { comparable, rescore, scores, differences } = comparison;
  if (context.json) await writeJson(comparison);
  else {
    const both = scores.some(({ a: ofA, b: ofB }) => ofA !== null && ofB !== null);
    const heading = comparable
      ? both
        ? 'Comparable: the scores below were measured on the same items.'
        : 'Comparable: the pinned eval items are the same. There is no score that both pins state.'
      : styled('red', 'Not comparable: the items differ, so scores side by side would say nothing.');
    const table = scores.map((score) => [score.eval, score.metric, formatScore(score.a), formatScore(score.b)]);
    await writeLines([
      heading,
      `  A  ${a}`,
      `  B  ${b}`,
      ...(table.length === 0 || !comparable
        ? []
        : alignTable([['eval', 'metric', 'A', 'B'], ...table], { right: [2, 3] })),
      ...rescore.map((each) => `To compare on ${each.eval}, score again: ${each.why}`),
      ...differences.map((line) => `  ${line}`),
    ]);
  }
  return comparable ? exitStatus.ok : exitStatus.found;
}

function formatScore(value: number | null): string {
  return value === null ? '-' : String(value);
}
