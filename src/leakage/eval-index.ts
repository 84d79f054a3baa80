/**
 * The runs of all eval items: in the kernel's table for the scan, and exactly for what confirms. Items with the same
 * tokens in one field share a form, are checked together and are all named.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { GramTrie, ROOT } from './gram-trie.ts';
import { wayGiver } from './give-way.ts';
import { gramLength } from './guarantee.ts';
import type { EvalItems, Item } from './items.ts';
import { Kernel } from './kernel.ts';
import type { RunTable } from './kernel.ts';
import { besidePassageCoverage, suspectCoverage, templateItems, wholeAtLeastTokens } from './method.ts';
import type { Vocabulary } from './vocabulary.ts';

/** The tokens of a field that one or more items of a set have. */
export interface Form {
  readonly evalIndex: number;
  readonly role: 'deciding' | 'passage';
  readonly length: number;
  /** Length of its runs. */
  readonly n: number;
  /** The run at each position, as the trie numbers it. */
  readonly grams: Int32Array;
  /** Weight of each token: ln(1 + forms of the set / forms that have it). */
  readonly weights: Float32Array;
  /** Whether every run of it is a template of the set: what many items begin or end with. */
  readonly allTemplate: boolean;
  readonly items: Item[];
  /** Coverage from which it is reported, or looked at for the passage beside it. */
  readonly coverageMin: number;
  /** Whether its items differ in what they ask all the same: in symbols, or in the choices under one stem. */
  readonly symbolsDiffer: boolean;
  readonly generic: boolean;
  /** Which of its tokens are numbers. */
  readonly numbers: Int32Array;
  /** Whether any of its tokens has a letter. */
  readonly lettered: boolean;
}

/** What the check looks for. */
export interface EvalIndex {
  readonly forms: readonly Form[];
  /** The form of each item's passage. */
  readonly passages: ReadonlyMap<Item, Form>;
  readonly trie: GramTrie;
  /** Number of a run in the kernel's table, by its number in the trie; -1 for mere beginnings. */
  readonly kernelRun: Int32Array;
  readonly table: RunTable;
  readonly vocabulary: Vocabulary;
}

/** Runs beyond this do not fit the kernel's memory beside its other parts. */
const gramsMax = 60_000_000;

/**
 * Builds the index of all sets.
 * @throws HoldoutError LIMIT when the sets have more runs than one check can hold.
 */
export async function buildIndex(sets: readonly EvalItems[], vocabulary: Vocabulary): Promise<EvalIndex> {
  const giveWay = wayGiver();
  const drafts = sets.flatMap(({ items }, evalIndex) => draftForms(items, evalIndex));
  const positions = drafts.reduce((sum, draft) => sum + Math.max(1, draft.tokens.length), 0);
  if (positions > gramsMax) {
    throw new HoldoutError('LIMIT', `the eval sets have ${positions} words; one check holds ${gramsMax}`, {
      hint: 'Check fewer eval sets at a time.',
    });
  }
  const trie = new GramTrie(positions * 2);
  const bare: Form[] = [];
  for (const draft of drafts) {
    await giveWay();
    const n = draftGram(draft, vocabulary);
    const grams = new Int32Array(Math.max(0, draft.tokens.length - n + 1));
    for (let place = 0; place < grams.length; place++) grams[place] = addGram(trie, draft.tokens, place, n);
    const weights = new Float32Array(draft.tokens.length);
    bare.push({ ...formOf(draft, vocabulary), n, grams, weights, allTemplate: false });
  }
  const { kernelRun, table } = await fillTable(bare, drafts, trie);
  const forms = weigh(bare, drafts, trie.size);
  const passages = new Map<Item, Form>();
  for (const form of forms) if (form.role === 'passage') for (const item of form.items) passages.set(item, form);
  return { forms, passages, trie, kernelRun, table, vocabulary };
}

/** Puts the runs of all forms into a table for the kernel. */
async function fillTable(
  forms: readonly Form[],
  drafts: readonly Draft[],
  trie: GramTrie,
): Promise<Pick<EvalIndex, 'kernelRun' | 'table'>> {
  const giveWay = wayGiver();
  // In memory that threads share: the confirmation reads it in several.
  const kernelRun = new Int32Array(new SharedArrayBuffer(trie.size * 4)).fill(-1);
  let distinct = 0;
  let lengths = 0;
  for (const { n, grams } of forms) {
    lengths |= 1 << n;
    for (const gram of grams) {
      if (kernelRun[gram] === -1) distinct++;
      kernelRun[gram] = -2;
    }
  }
  const kernel = new Kernel();
  const table = kernel.createTable(distinct, lengths);
  let runs = 0;
  for (const [number, { n, grams }] of forms.entries()) {
    await giveWay();
    const { text, skipped, tokens, items } = drafts[number] ?? emptyDraft;
    if (kernel.hashTokens(text) !== skipped + tokens.length) {
      throw new TypeError(`kernel and definition disagree on the tokens of item ${items[0]?.row ?? -1}`);
    }
    for (let place = 0; place < grams.length; place++) {
      const gram = grams[place] ?? ROOT;
      if (kernelRun[gram] !== -2) continue;
      const run = kernel.addRun(skipped + place, n, runs);
      kernelRun[gram] = run;
      if (run === runs) runs++;
    }
  }
  kernel.shareTable(table);
  return { kernelRun, table: { ...table, grams: runs } };
}

interface Draft {
  readonly evalIndex: number;
  readonly role: Form['role'];
  readonly text: string;
  /** Tokens of the text before the first of `tokens`. */
  readonly skipped: number;
  readonly tokens: Int32Array;
  readonly items: Item[];
}

const emptyDraft: Draft = { evalIndex: 0, role: 'deciding', text: '', skipped: 0, tokens: new Int32Array(), items: [] };

function draftForms(items: readonly Item[], evalIndex: number): Draft[] {
  const drafts = new Map<string, Draft>();
  const add = (role: Form['role'], text: string, skipped: number, tokens: Int32Array, item: Item): void => {
    if (tokens.length === 0) return;
    const key = `${role} ${tokens.join()}`;
    const known = drafts.get(key);
    if (known === undefined) drafts.set(key, { evalIndex, role, text, skipped, tokens, items: [item] });
    else known.items.push(item);
  };
  for (const item of items) {
    add('deciding', item.text, item.preamble, item.tokens, item);
    add('passage', item.passageText, 0, item.passage, item);
  }
  return [...drafts.values()];
}

function draftGram({ tokens }: Draft, vocabulary: Vocabulary): number {
  let unspaced = 0;
  for (const token of tokens) if (vocabulary.isUnspaced(token)) unspaced++;
  return gramLength(tokens.length, unspaced * 2 >= tokens.length);
}

function addGram(trie: GramTrie, tokens: Int32Array, place: number, n: number): number {
  let gram = ROOT;
  for (let i = place; i < place + n; i++) gram = trie.extend(gram, tokens[i] ?? -1);
  return gram;
}

function formOf(
  { evalIndex, role, tokens, items }: Draft,
  vocabulary: Vocabulary,
): Omit<Form, 'n' | 'grams' | 'weights' | 'allTemplate'> {
  const symbols = new Map<string, Set<string>>();
  for (const item of items) {
    const choices = symbols.get(item.symbols) ?? new Set();
    symbols.set(item.symbols, choices.add(`${item.keys['choices'] ?? ''} ${item.keys['passage'] ?? ''}`));
  }
  return {
    evalIndex,
    role,
    length: tokens.length,
    items,
    coverageMin: coverageMin(role, tokens.length, items),
    symbolsDiffer: symbols.size > 1,
    generic: [...symbols.values()].some((choices) => choices.size >= 3),
    numbers: numberPlaces(tokens, vocabulary),
    lettered: tokens.some((token) => vocabulary.hasLetter(token)),
  };
}

function coverageMin(role: Form['role'], length: number, items: readonly Item[]): number {
  const alone = suspectCoverage(length);
  const hasPassage = role === 'deciding' && items.some(({ passage }) => passage.length > 0);
  return hasPassage && length >= wholeAtLeastTokens ? Math.min(alone, besidePassageCoverage) : alone;
}

function numberPlaces(tokens: Int32Array, vocabulary: Vocabulary): Int32Array {
  const places: number[] = [];
  for (let place = 0; place < tokens.length; place++) {
    if (!vocabulary.hasLetter(tokens[place] ?? -1)) places.push(place);
  }
  return Int32Array.from(places);
}

/** Adds what depends on the other forms of the same set and role: weights of tokens, and what is a template. */
function weigh(forms: readonly Form[], drafts: readonly Draft[], trieSize: number): Form[] {
  const groups = new Map<string, number[]>();
  let tokensEnd = 0;
  for (const [number, { evalIndex, role }] of forms.entries()) {
    const group = `${evalIndex} ${role}`;
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [number]);
    else known.push(number);
    for (const token of drafts[number]?.tokens ?? []) if (token >= tokensEnd) tokensEnd = token + 1;
  }
  const weighed = [...forms];
  for (const group of groups.values()) {
    const tokenCounts = countForms(group, tokensEnd, (number) => drafts[number]?.tokens);
    const gramCounts = countForms(group, trieSize, (number) => forms[number]?.grams);
    const many = templateItems(group.length);
    for (const number of group) {
      const form = forms[number];
      if (form === undefined) continue;
      const { tokens } = drafts[number] ?? emptyDraft;
      for (let i = 0; i < tokens.length; i++) {
        form.weights[i] = Math.log(1 + group.length / (tokenCounts[tokens[i] ?? 0] ?? 1));
      }
      weighed[number] = { ...form, allTemplate: form.grams.every((gram) => (gramCounts[gram] ?? 0) >= many) };
    }
  }
  return weighed;
}

/** In how many forms of a group each number below `end` stands. */
function countForms(
  group: readonly number[],
  end: number,
  numbersOf: (form: number) => Int32Array | undefined,
): Int32Array {
  const counts = new Int32Array(end);
  const lastForm = new Int32Array(end).fill(-1);
  for (const form of group) {
    for (const number of numbersOf(form) ?? []) {
      if (lastForm[number] === form) continue;
      lastForm[number] = form;
      counts[number] = (counts[number] ?? 0) + 1;
    }
  }
  return counts;
}
