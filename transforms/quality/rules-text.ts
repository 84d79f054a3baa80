/**
 * The rules of a `quality` step in a few words: the preset that they are nearest to and what differs, else each by name.
 * @module
 */
import type { z } from 'zod';
import { canonicalJson } from '../../src/identity/canonical-json.ts';
import { type Preset, presets, rules } from './rules.ts';

/** Rules that are on, each with its bound. */
export type RuleBounds = Readonly<Record<string, z.core.util.JSONType>>;

const rulesShownMax = 5;
/** In the order in which they are tried. */
const names: readonly string[] = [...rules.map(({ name }) => name), 'stop_words_min', 'stop_words', 'bad_words'];

/** `passes gopher, with words_min 20, without top_2gram_max`, or `has words_min 20, no javascript`. */
export function rulesText(bounds: RuleBounds, standardOf: (preset: Preset) => RuleBounds): string {
  const given = names.filter((name) => Object.hasOwn(bounds, name));
  const likenesses = presets.map((preset) => {
    const standard = standardOf(preset);
    const isStandard = (name: string): boolean =>
      Object.hasOwn(standard, name) && canonicalJson(standard[name]!) === canonicalJson(bounds[name]!);
    const other = given.filter((name) => !isStandard(name));
    const lacking = names.filter((name) => Object.hasOwn(standard, name) && !Object.hasOwn(bounds, name));
    return { preset, shared: given.length - other.length, other, lacking, apart: other.length + lacking.length };
  });
  const [nearest] = likenesses.toSorted((a, b) => a.apart - b.apart);
  if (nearest === undefined || nearest.shared <= nearest.apart) {
    return `has ${shortened(given.flatMap((name) => ruleText(name, bounds)))}`;
  }
  const { preset, other, lacking } = nearest;
  return [
    `passes ${preset}`,
    ...(other.length === 0 ? [] : [`with ${shortened(other.flatMap((name) => ruleText(name, bounds, 'other')))}`]),
    ...(lacking.length === 0 ? [] : [`without ${shortened(lacking)}`]),
  ].join(', ');
}

function shortened(texts: readonly string[]): string {
  const more = texts.length - rulesShownMax;
  return more <= 1 ? texts.join(', ') : `${texts.slice(0, rulesShownMax).join(', ')} and ${more} more rules`;
}

/** The stop words themselves are told only where they are other ones than usual. */
function ruleText(name: string, bounds: RuleBounds, stopWords = ''): string[] {
  const value = bounds[name]!;
  if (name === 'stop_words') return stopWords === '' ? [] : [`${stopWords} stop words`];
  if (name === 'bad_words') return [`none of ${(value as string[]).length} bad words`];
  return [value === 'on' ? `no ${name}` : `${name} ${Number(value)}`];
}
