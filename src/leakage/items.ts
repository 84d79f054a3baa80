/**
 * The items of an eval set: for each its question and passage as tokens, and what may stand near them. A beginning that
 * half of the questions share (few-shot examples, instructions) is taken off.
 * @module
 */
import { parseRow, sameText, textsOf, valuesAt } from './row-text.ts';
import type { JsonRow } from './row-text.ts';
import { wayGiver } from './give-way.ts';
import { symbolForm } from './normal-form.ts';
import type { NamedEval } from './types.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What of an item decides. */
export type DecidingRole = 'question' | 'passage' | 'choices';

/** One item, as read. */
export interface Item {
  readonly row: number;
  /** The text whose overlap decides: the question; where it is empty the passage, then the choices. */
  readonly role: DecidingRole;
  readonly text: string;
  readonly tokens: Int32Array;
  /** Tokens taken off the beginning of `tokens`, as every second item starts with them. */
  readonly preamble: number;
  readonly passage: Int32Array;
  readonly passageText: string;
  readonly choices: readonly Int32Array[];
  readonly answers: readonly Int32Array[];
  /** Normal form of the deciding text that keeps symbols. */
  readonly symbols: string;
  /** Values of the key fields by role, in a form in which equal values are equal texts. */
  readonly keys: Readonly<Record<string, string>>;
}

/** All items of a set, and what was said about it. */
export interface EvalItems {
  readonly items: readonly Item[];
  readonly notes: readonly string[];
}

/** A preamble is at least this long; shorter beginnings are just how questions start. */
const preambleTokensMin = 8;

/** Reads the items of a set. */
export async function readItems(set: NamedEval, vocabulary: Vocabulary): Promise<EvalItems> {
  const items: Item[] = [];
  const giveWay = wayGiver();
  for await (const row of rowsOf(set)) {
    await giveWay();
    items.push(itemOf(row, items.length, set, vocabulary));
  }
  const preamble = sharedPreamble(items);
  const length = preamble.length;
  if (length === 0) return { items, notes: [] };
  const stripped = items.map((item) =>
    item.tokens.length > length && preamble.every((token, place) => item.tokens[place] === token)
      ? { ...item, tokens: item.tokens.subarray(length), preamble: length }
      : item,
  );
  const count = stripped.filter((item) => item.preamble > 0).length;
  const note = `The first ${length} words of ${count} of ${items.length} questions are the same and were left out of the comparison.`;
  return { items: stripped, notes: [note] };
}

/** Rows of a table, parsed. */
export async function* rowsOf(set: Pick<NamedEval, 'reader'>): AsyncGenerator<JsonRow> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const block of set.reader.jsonLines()) {
    for (const line of decoder.decode(block.bytes).split('\n')) {
      if (line.trim() !== '') yield parseRow(line);
    }
  }
}

/** Values of the key fields of a row, by role. */
export function keyTexts(row: JsonRow, fields: NamedEval['fields']): Record<string, string> {
  const keys: Record<string, string> = {};
  for (const role of ['question', 'passage', 'choices', 'answer'] as const) {
    const paths = fields[role];
    if (paths !== undefined) keys[role] = sameText(paths.map((path) => valuesAt(row, path)));
  }
  return keys;
}

function itemOf(row: JsonRow, index: number, set: NamedEval, vocabulary: Vocabulary): Item {
  const texts = (role: keyof NamedEval['fields']): string[] =>
    (set.fields[role] ?? []).flatMap((path) => textsOf(valuesAt(row, path)));
  const textsByColumn = (role: keyof NamedEval['fields']): string[] =>
    (set.fields[role] ?? []).map((path) => textsOf(valuesAt(row, path)).join('\n'));
  const choiceTexts = texts('choices');
  const passageText = texts('passage').join('\n');
  const read = (role: DecidingRole, text: string): DecidingText => ({ role, text, tokens: vocabulary.add(text) });
  const question = read('question', questionText(textsByColumn('question')));
  const passage = read('passage', passageText);
  let deciding = question;
  if (deciding.tokens.length === 0) deciding = passage;
  if (deciding.tokens.length === 0) deciding = read('choices', choiceTexts.join('\n'));
  if (deciding.tokens.length === 0) deciding = question;
  return {
    row: index,
    ...deciding,
    preamble: 0,
    passage: deciding === question ? passage.tokens : new Int32Array(),
    passageText,
    choices: deciding.role === 'choices' ? [] : choiceTexts.map((text) => vocabulary.add(text)),
    answers: texts('answer').map((text) => vocabulary.add(text)),
    symbols: symbolForm(deciding.text),
    keys: keyTexts(row, set.fields),
  };
}

/**
 * The question's columns as one text. A column whose text stands in another's is left out: the story of a word problem
 * that the question repeats would count twice, and be enough for a leak by itself.
 */
function questionText(columns: readonly string[]): string {
  const parts = columns.map((text) => text.trim());
  const isHeld = (part: string, place: number): boolean =>
    parts.some((other, at) => at !== place && other.includes(part) && (other.length > part.length || at < place));
  return columns.filter((_, place) => !isHeld(parts[place] ?? '', place)).join('\n');
}

interface DecidingText {
  readonly role: DecidingRole;
  readonly text: string;
  readonly tokens: Int32Array;
}

/** The first tokens that half of the items share; none where that is no preamble. */
function sharedPreamble(items: readonly Item[]): readonly number[] {
  const none: readonly number[] = [];
  if (items.length < 4) return none;
  let alike: readonly Item[] = items;
  for (let length = 0; ; length++) {
    const next = mostCommon(alike, length);
    // Where all that are left are one text, its words are the question, not a preamble.
    if (next.length > 0 && next.every((item) => item.tokens.length === length + 1)) return none;
    if (next.length * 2 < items.length) {
      return length >= preambleTokensMin ? [...(alike[0]?.tokens.subarray(0, length) ?? [])] : none;
    }
    alike = next;
  }
}

/** Those of the items that have the most common token at a place. */
function mostCommon(items: readonly Item[], place: number): readonly Item[] {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const token = item.tokens[place];
    if (token === undefined) continue;
    const group = groups.get(token);
    if (group === undefined) groups.set(token, [item]);
    else group.push(item);
  }
  let best: readonly Item[] = [];
  for (const group of groups.values()) if (group.length > best.length) best = group;
  return best;
}
