/**
 * The runs of all eval items: in the kernel's table for the scan, and exactly for what confirms. Items with the same
 * tokens in one field share a form, are checked together and are all named.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { GramTrie, ROOT } from './gram-trie.ts';
import { gramLength } from './guarantee.ts';
import type { EvalItems, Item } from './items.ts';
import { Kernel } from './kernel.ts';
import type { RunTable } from './kernel.ts';
import { templateItems } from './method.ts';
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
export function buildIndex(sets: readonly EvalItems[], vocabulary: Vocabulary): EvalIndex {
  const drafts = sets.flatMap(({ items }, evalIndex) => draftForms(items, evalIndex));
  const positions = drafts.reduce((sum, draft) => sum + Math.max(1, draft.tokens.length), 0);
  if (positions > gramsMax) {
    throw new HoldoutError('LIMIT', `the eval sets have ${positions} words; one check holds ${gramsMax}`, {
      hint: 'Check fewer eval sets at a time.',
    });
  }
  const trie = new GramTrie();
  const kernel = new Kernel();
  let lengths = 0;
  for (const draft of drafts) lengths |= 1 << draftGram(draft, vocabulary);
  const empty = kernel.createTable(positions, lengths);
  const kernelRuns: number[] = [];
  let runs = 0;
  const bare = drafts.map((draft): Form => {
    const n = draftGram(draft, vocabulary);
    const grams = new Int32Array(Math.max(0, draft.tokens.length - n + 1));
    const hashed = kernel.hashTokens(draft.text);
    if (hashed !== draft.skipped + draft.tokens.length) {
      throw new TypeError(`kernel and definition disagree on the tokens of item ${draft.items[0]?.row ?? -1}`);
    }
    for (let place = 0; place < grams.length; place++) {
      const gram = addGram(trie, draft.tokens, place, n);
      grams[place] = gram;
      kernelRuns[gram] ??= kernel.addRun(draft.skipped + place, n, runs);
      if (kernelRuns[gram] === runs) runs++;
    }
    return {
      ...formOf(draft, vocabulary),
      n,
      grams,
      weights: new Float32Array(draft.tokens.length),
      allTemplate: false,
    };
  });
  const forms = weigh(bare, drafts);
  kernel.shareTable(empty);
  const kernelRun = new Int32Array(trie.size).fill(-1);
  for (const [gram, run] of kernelRuns.entries()) if (run !== undefined) kernelRun[gram] = run;
  return { forms, trie, kernelRun, table: { ...empty, grams: runs }, vocabulary };
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
    symbolsDiffer: symbols.size > 1,
    generic: [...symbols.values()].some((choices) => choices.size >= 3),
    numbers: Int32Array.from([...tokens.keys()].filter((place) => !vocabulary.hasLetter(tokens[place] ?? -1))),
    lettered: tokens.some((token) => vocabulary.hasLetter(token)),
  };
}

/** Adds what depends on the other forms of the same set and role: weights of tokens, and what is a template. */
function weigh(forms: readonly Form[], drafts: readonly Draft[]): Form[] {
  const tokenCounts = new GroupCounts();
  const gramCounts = new GroupCounts();
  for (const [index, form] of forms.entries()) {
    const group = `${form.evalIndex} ${form.role}`;
    tokenCounts.add(group, drafts[index]?.tokens ?? []);
    gramCounts.add(group, form.grams);
  }
  return forms.map((form, index): Form => {
    const group = `${form.evalIndex} ${form.role}`;
    const tokens = tokenCounts.of(group);
    const grams = gramCounts.of(group);
    const weights = Float32Array.from(drafts[index]?.tokens ?? [], (token) =>
      Math.log(1 + tokens.forms / (tokens.counts.get(token) ?? 1)),
    );
    const many = templateItems(grams.forms);
    return { ...form, weights, allTemplate: form.grams.every((gram) => (grams.counts.get(gram) ?? 0) >= many) };
  });
}

/** In how many forms of each group a number stands. */
class GroupCounts {
  readonly #groups = new Map<string, { forms: number; readonly counts: Map<number, number> }>();

  add(group: string, numbers: Iterable<number>): void {
    const known = this.#groups.get(group) ?? { forms: 0, counts: new Map<number, number>() };
    this.#groups.set(group, known);
    known.forms++;
    for (const number of new Set(numbers)) known.counts.set(number, (known.counts.get(number) ?? 0) + 1);
  }

  of(group: string): { readonly forms: number; readonly counts: ReadonlyMap<number, number> } {
    return this.#groups.get(group) ?? { forms: 0, counts: new Map() };
  }
}
