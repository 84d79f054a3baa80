/**
 * Items without a word: the kernel sees nothing of them, so each string of a training row is compared as a whole, in
 * the normal form that keeps symbols. Training sets are read once more for it, where there are such items at all.
 * @module
 */
import type { EvalItems, Item } from './items.ts';
import { rowsOf } from './items.ts';
import { puzzleUnits, symbolUnits } from './method.ts';
import { symbolForm } from './normal-form.ts';
import { rowStrings } from './row-text.ts';
import type { Tally } from './tally.ts';
import type { NamedTable } from './types.ts';

/** Whether no normal form of an item leaves anything that could be looked for. */
export function isUncheckable(item: Item): boolean {
  return item.tokens.length === 0 && item.symbols === '';
}

/** Whether symbols are all that an item has. */
export function isSymbolsOnly(item: Item): boolean {
  return item.tokens.length === 0 && item.symbols !== '';
}

/** Letters and digits that are written out are never part of a text without words; those of `&lt;` are. */
const plainWord = /[0-9A-Za-z]/;

/** Adds the rows that have a string which is such an item: a leak where it has enough symbols to be told by them. */
export async function findSymbolRows(
  train: NamedTable,
  trainIndex: number,
  sets: readonly EvalItems[],
  tally: Tally,
): Promise<void> {
  const wanted = new Map<string, { readonly evalIndex: number; readonly item: Item }[]>();
  for (const [evalIndex, { items }] of sets.entries()) {
    for (const item of items) {
      if (!isSymbolsOnly(item)) continue;
      const known = wanted.get(item.symbols);
      if (known === undefined) wanted.set(item.symbols, [{ evalIndex, item }]);
      else known.push({ evalIndex, item });
    }
  }
  if (wanted.size === 0) return;
  let row = 0;
  for await (const json of rowsOf(train)) {
    const found = new Set<string>();
    for (const { text } of rowStrings(json, train.reader.schema)) {
      if (plainWord.test(text) && !text.includes('&')) continue;
      const symbols = symbolForm(text);
      if (wanted.has(symbols)) found.add(symbols);
    }
    for (const symbols of found) {
      const leak = symbolUnits(symbols) >= puzzleUnits;
      for (const { evalIndex, item } of wanted.get(symbols) ?? []) {
        const finding = { evalIndex, item: item.row, trainIndex, row, coverage: 1, longestRun: 0 };
        tally.add({ ...finding, class: leak ? 'normalised-equal' : 'short', leak });
      }
    }
    row++;
  }
}
