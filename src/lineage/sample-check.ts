/**
 * The check of a step that is declared deterministic: a sample is run twice, under other settings, and what comes out
 * is compared line by line.
 * @module
 */
import { HoldoutError } from '../errors.ts';

/** Rows of the input that are run twice: all of a small one. */
export const sampleRows = 1000;

/** Of longer rows fewer are taken, but one; of one that gives more the beginning is compared. */
export const sampleCharsMax = 64 << 20;

const shownCharsMax = 120;

/** The first lines, as many as a sample has. */
export async function takeSample(lines: AsyncIterable<string>): Promise<string[]> {
  const sample: string[] = [];
  let chars = 0;
  for await (const line of lines) {
    chars += line.length;
    if (chars > sampleCharsMax && sample.length > 0) break;
    if (sample.push(line) === sampleRows) break;
  }
  return sample;
}

/**
 * Compares what two runs gave.
 * @param settings how the second run was made other than the first
 * @throws HoldoutError NOT_DETERMINISTIC naming the first row and column that differ
 */
export function checkSameLines(first: readonly string[], second: readonly string[], settings: string): void {
  const length = Math.max(first.length, second.length);
  for (let index = 0; index < length; index++) {
    const [one, two] = [first[index], second[index]];
    if (one === two) continue;
    throw new HoldoutError(
      'NOT_DETERMINISTIC',
      `not deterministic: run twice on a sample, ${differenceText(index, one, two)}`,
      {
        hint:
          `The second run had ${settings}. A step that hangs on chance, time or the order of its rows is declared ` +
          '`deterministic: false`: it is then run once and its output kept.',
      },
    );
  }
}

function differenceText(index: number, one: string | undefined, two: string | undefined): string {
  const row = `row ${(index + 1).toLocaleString('en-US')} of its output`;
  if (one === undefined || two === undefined) {
    return `it gave ${index.toLocaleString('en-US')} rows once and more the other time`;
  }
  const [before, after] = [members(one), members(two)];
  if (before === null || after === null) return `${row} differs: ${cut(one)}, then ${cut(two)}`;
  const column = [...new Set([...before.keys(), ...after.keys()])].find((name) => before.get(name) !== after.get(name));
  if (column === undefined) return `${row} differs in how it is written: ${cut(one)}, then ${cut(two)}`;
  return `column "${column}" of ${row} differs: ${cut(before.get(column) ?? 'absent')}, then ${cut(after.get(column) ?? 'absent')}`;
}

/** Members of a row by name, as text; null for a line that is no row. */
function members(line: string): ReadonlyMap<string, string> | null {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return null;
    return new Map(Object.entries(row).map(([name, value]) => [name, JSON.stringify(value)]));
  } catch {
    return null;
  }
}

function cut(text: string): string {
  return text.length <= shownCharsMax ? text : `${text.slice(0, shownCharsMax)}…`;
}
