/**
 * Parts of the sentences that say why a step let a row go.
 * @module
 */
import type { StepContext } from '../src/lineage/transform.ts';
import { fetchFields } from '../src/tables/rows-at.ts';

const valueCharactersMax = 60;
const valuesShownMax = 4;

/** `topic = "x", id = 7` of each row, of some columns. */
export async function valuesOf(
  { input, engine }: Pick<StepContext, 'input' | 'engine'>,
  names: readonly string[],
  rows: readonly number[],
): Promise<readonly string[]> {
  const fields = await fetchFields(engine, input, rows);
  const shown = names.slice(0, valuesShownMax);
  const more = names.length > shown.length ? ', …' : '';
  return rows.map((row) => {
    const values = fields.get(row);
    return shown.map((name) => `${name} = ${shortened(values?.get(name) ?? 'null')}`).join(', ') + more;
  });
}

/** A number of rows, and a position from 0 as people count it. */
export function counted(value: number): string {
  return value.toLocaleString('en-US');
}

/** A number from 0 to below 1 with four digits, never rounded up to the bound that it is below. */
export function drawn(value: number): string {
  return (Math.floor(value * 10_000) / 10_000).toFixed(4);
}

/** `a`, or `a and 2 more`. */
export function firstOf(texts: readonly string[]): string {
  return texts.length <= 1 ? (texts[0] ?? '') : `${texts[0]!} and ${texts.length - 1} more`;
}

function shortened(text: string): string {
  const characters = Array.from(text.slice(0, 4 * valueCharactersMax));
  return characters.length <= valueCharactersMax ? text : `${characters.slice(0, valueCharactersMax).join('')} …`;
}
