/**
 * What a pair of eval item and training row is: a leak and of which class, a suspect, or nothing. method.ts has the
 * numbers.
 * @module
 */
import type { HitClass } from '../../schemas/leak-report.ts';
import type { FieldRoles } from '../../schemas/records.ts';
import { hasContext } from './context.ts';
import type { Overlap } from './coverage.ts';
import type { Form } from './eval-index.ts';
import type { Item } from './items.ts';
import { keyTexts } from './items.ts';
import {
  answerRule,
  besidePassageCoverage,
  commonplaceCoverage,
  contextRule,
  leakRules,
  numbersShare,
  puzzleUnits,
  shortBelowTokens,
} from './method.ts';
import { stemTokens, suspectCoverage, symbolUnits, wholeAtLeastTokens } from './method.ts';
import type { LeakRule } from './method.ts';
import { symbolForm } from './normal-form.ts';
import type { RowTokens } from './row-tokens.ts';
import type { JsonRow } from './row-text.ts';
import type { Vocabulary } from './vocabulary.ts';

/** The verdict on a pair. */
export interface PairVerdict {
  readonly item: Item;
  readonly class: HitClass;
  readonly leak: boolean;
}

/** A training row, with what is worked out only where it is asked for. */
export interface CheckedRow {
  readonly tokens: RowTokens;
  readonly json: JsonRow;
  /** Roles of the training set's own columns. */
  readonly fields: FieldRoles;
  symbols?: readonly string[];
  keys?: Readonly<Record<string, string>>;
}

/**
 * Judges all items of a form against a row. `isBesidePassage` says whether an item's passage stands there, too, near
 * the overlap.
 */
export function classify(
  form: Form,
  overlap: Overlap,
  row: CheckedRow,
  vocabulary: Vocabulary,
  isBesidePassage: (item: Item) => boolean,
): PairVerdict[] {
  if (form.role === 'passage') {
    const enough = overlap.coverage >= suspectCoverage(form.length) && overlap.longestRun >= Math.min(form.length, 8);
    return enough ? form.items.map((item) => ({ item, class: 'source-overlap', leak: false })) : [];
  }
  if (overlap.longestRun === form.length) return classifyWhole(form, overlap, row, vocabulary);
  if (overlap.coverage < suspectCoverage(form.length)) {
    if (form.length < wholeAtLeastTokens || overlap.coverage < besidePassageCoverage) return [];
    const beside = form.items.filter((item) => isBesidePassage(item));
    return beside.map((item) => ({ item, class: 'suspect', leak: false }));
  }
  const byText =
    !form.generic && !form.symbolsDiffer && leakRules.some((rule, i) => isRuleOf(form, i) && meets(overlap, rule));
  const weak = weakClass(form, overlap);
  return form.items.map((item) => {
    const near =
      !byText &&
      form.length >= wholeAtLeastTokens &&
      meets(overlap, item.choices.length >= 2 ? contextRule : answerRule);
    const leak = byText || (near && hasContext(item, row.tokens, overlap.from, overlap.to, vocabulary));
    return { item, class: leak ? 'contained' : weak, leak };
  });
}

/** What an overlap is that makes no leak. */
function weakClass(form: Form, overlap: Overlap): 'short' | 'suspect' {
  const isShort = form.length < shortBelowTokens && overlap.tellingCoverage < commonplaceCoverage;
  return isShort || form.length < wholeAtLeastTokens ? 'short' : 'suspect';
}

/** The rule for a form's length is the first that it is long enough for. */
function isRuleOf(form: Form, index: number): boolean {
  return leakRules.findIndex((rule) => form.length >= rule.tokensAtLeast) === index;
}

function meets(overlap: Overlap, rule: LeakRule): boolean {
  const { coverage, tellingCoverage, longestRun, numbers } = overlap;
  return (
    coverage >= rule.coverage &&
    tellingCoverage >= rule.tellingCoverage &&
    longestRun >= rule.run &&
    numbers >= numbersShare
  );
}

/** All of the form's tokens stand in the row in one run. */
function classifyWhole(form: Form, overlap: Overlap, row: CheckedRow, vocabulary: Vocabulary): PairVerdict[] {
  // Sums have no words to go by; their symbols are compared as well.
  const compared = form.symbolsDiffer || !form.lettered || isPuzzle(form);
  const quoted = compared ? quotedSymbols(form, row) : null;
  const isString = isWholeString(form, overlap, row);
  return form.items.flatMap((item): PairVerdict[] => {
    if (isKeyEqual(item, row)) return [{ item, class: 'key-equal', leak: true }];
    // The same words with other symbols are another puzzle; where the words are few, they are not even a likeness.
    if (quoted !== null && !quoted.has(item.symbols)) {
      return isPuzzle(form) ? [] : [{ item, class: weakClass(form, overlap), leak: false }];
    }
    const leak = isTelling(form, item, isString) || hasContext(item, row.tokens, overlap.from, overlap.to, vocabulary);
    if (leak) return [{ item, class: isString ? 'normalised-equal' : 'contained', leak }];
    return [{ item, class: 'short', leak }];
  });
}

/** Whether the whole of a form says by itself which item it is. A stem that goes with choices is less than its item. */
function isTelling(form: Form, item: Item, isString: boolean): boolean {
  if (form.generic || (form.length < wholeAtLeastTokens && !isPuzzle(form))) return false;
  if (item.choices.length === 0) return true;
  return !form.allTemplate && (form.length >= stemTokens || isString);
}

/** Few words and many symbols, like `( ( not ( True ) ) ) is`: quoted with its symbols, it is what it is. */
function isPuzzle(form: Form): boolean {
  if (form.length >= wholeAtLeastTokens) return false;
  return form.items.every(({ symbols }) => symbolUnits(symbols) >= puzzleUnits);
}

function isWholeString(form: Form, overlap: Overlap, row: CheckedRow): boolean {
  const string = row.tokens.stringOf[overlap.from] ?? 0;
  return row.tokens.counts[string] === form.length;
}

/** Of the form's items those whose text, symbols kept, stands in the row; longer ones first, so that a part of a
 * longer puzzle is not taken for the shorter one. */
function quotedSymbols(form: Form, row: CheckedRow): Set<string> {
  row.symbols ??= row.tokens.strings.map(({ text }) => symbolForm(text));
  let texts = row.symbols;
  const quoted = new Set<string>();
  const wanted = [...new Set(form.items.map((item) => item.symbols))].sort((a, b) => b.length - a.length);
  for (const symbols of wanted) {
    if (!texts.some((text) => text.includes(symbols))) continue;
    quoted.add(symbols);
    texts = texts.map((text) => text.replaceAll(symbols, '\0'));
  }
  return quoted;
}

/** Whether the row has the item's values in its own columns of the same roles, the question among them. */
function isKeyEqual(item: Item, row: CheckedRow): boolean {
  if (item.role !== 'question') return false;
  row.keys ??= keyTexts(row.json, row.fields);
  const roles = Object.keys(item.keys).filter((role) => row.keys?.[role] !== undefined);
  return roles.includes('question') && roles.every((role) => row.keys?.[role] === item.keys[role]);
}
