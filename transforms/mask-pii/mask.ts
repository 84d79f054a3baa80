/**
 * What `mask-pii` does to one text.
 * @module
 */
import type { TextMapper } from '../texts/map-texts.ts';
import { type Kind, finders, kindNames } from './kinds.ts';

/** What is masked, and how. */
export interface MaskSettings {
  readonly kinds: readonly Kind[];
  /** What stands for a stretch of each kind. */
  readonly replacements: Readonly<Record<Kind, string>>;
  /** How many patterns of the person's were applied before; their counts come beside each text, `2,0`. */
  readonly patterns: number;
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
}

/** Masks and counts: kinds in the order of `kindNames`, then the patterns. */
export function masker({ kinds, replacements, patterns }: MaskSettings): TextMapper {
  const asked = kindNames.filter((kind) => kinds.includes(kind));
  return {
    counters: kindNames.length + patterns,
    map(text, counts, beside) {
      for (const [index, count] of (beside ?? '').split(',').entries()) {
        if (count !== '') counts[kindNames.length + index]! += Number(count);
      }
      const stretches = findAll(text, asked);
      if (stretches.length === 0) return text;
      let masked = '';
      let at = 0;
      for (const { from, to, kind } of stretches) {
        counts[kindNames.indexOf(kind)]! += 1;
        masked += text.slice(at, from) + replacements[kind];
        at = to;
      }
      return masked + text.slice(at);
    },
  };
}

/** Stretches in the order of the text. Of two that overlap the one of the earlier kind stays, then the earlier one. */
function findAll(text: string, kinds: readonly Kind[]): Stretch[] {
  const stretches: Stretch[] = [];
  let taken: Uint8Array | null = null;
  const hasDigits = /\d/.test(text);
  for (const kind of kinds) {
    // All but addresses and keys hold digits.
    if (!hasDigits && kind !== 'email' && kind !== 'keys') continue;
    finders[kind](text, (from, to) => {
      taken ??= new Uint8Array(text.length);
      if (taken.subarray(from, to).includes(1)) return;
      taken.fill(1, from, to);
      stretches.push({ from, to, kind });
    });
  }
  return stretches.sort((a, b) => a.from - b.from);
}
