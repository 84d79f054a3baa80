/**
 * Writes a check's findings down as a report: names, digests, positions and numbers, and no text of any row.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { HitClass, LeakHit, LeakReport, Verdict } from '../../schemas/leak-report.ts';
import { hitClass } from '../../schemas/leak-report.ts';
import type { EvalIndex, Form } from './eval-index.ts';
import { foldTableDigest } from './fold-table.data.ts';
import { certifiedRadius } from './guarantee.ts';
import type { EvalItems, Item } from './items.ts';
import * as method from './method.ts';
import { digestAt } from './row-equal.ts';
import type { ScanTotals } from './scan.ts';
import { isSymbolsOnly, isUncheckable } from './symbol-rows.ts';
import type { Finding, Tally } from './tally.ts';
import type { NamedEval, NamedTable } from './types.ts';

/** All that a report is made of. */
export interface ReportParts {
  readonly trains: readonly NamedTable[];
  readonly evals: readonly NamedEval[];
  readonly items: readonly EvalItems[];
  readonly index: EvalIndex;
  readonly totals: readonly ScanTotals[];
  readonly trainDigests: readonly Uint8Array[];
  readonly evalDigests: readonly Uint8Array[];
  readonly tally: Tally;
  readonly notes: readonly string[];
  readonly failOn: 'leak' | 'suspect';
}

/** The report of a check. */
export function writeReport(parts: ReportParts): LeakReport {
  const { trains, evals, items, totals, tally, failOn } = parts;
  const evalEntries = evals.map((set, index) => evalEntry(set, index, items[index], parts));
  const trainEntries = trains.map((train, index) => {
    const { leaked, suspect } = tally.rowsOf(index);
    const { name, table, schemaId: schema } = train;
    const { rows, textless } = totals[index] ?? { rows: 0, textless: 0 };
    return { name, table, schema, rows, unreadable: textless, leakedRows: leaked, suspectRows: suspect };
  });
  const failed = evalEntries.some(({ leaked, suspect }) => leaked > 0 || (failOn === 'suspect' && suspect > 0));
  const missing =
    evalEntries.some(({ uncheckable }) => uncheckable > 0) ||
    // A file that is empty by accident must not pass for a clean one.
    trainEntries.some(({ rows, unreadable }) => rows === 0 || unreadable > 0);
  const verdict: Verdict = failed ? 'leak' : missing ? 'incomplete' : 'clean';
  return {
    format: 'holdout/leak-report@1',
    verdict,
    method: {
      name: 'holdout/leak-check',
      version: method.methodVersion,
      foldTable: foldTableDigest as Sha256Id,
      gram: { long: method.gramLong, short: method.gramShort, shortBelowTokens: method.shortBelowTokens },
      thresholds: {
        suspect: method.suspectRules.map((rule) => ({ ...rule })),
        suspectBesidePassage: method.besidePassageCoverage,
        leak: method.leakRules.map((rule) => ({ ...rule })),
        leakWithOptions: { ...method.contextRule },
        leakWithAnswer: { ...method.answerRule },
        numbersShare: method.numbersShare,
        commonplaceCoverage: method.commonplaceCoverage,
        stemTokens: method.stemTokens,
        puzzleUnits: method.puzzleUnits,
        contextTokens: method.contextTokens,
        wholeAtLeastTokens: method.wholeAtLeastTokens,
        window: '3L+16',
      },
      failOn,
    },
    trains: trainEntries,
    evals: evalEntries,
    hits: hitsOf(parts),
    notes: [...parts.notes],
    guarantee: guaranteeOf(
      verdict,
      evalEntries,
      trainEntries,
      items.flatMap(({ items: each }) => each).filter(isSymbolsOnly).length,
      parts.index.forms,
    ),
  };
}

type EvalEntry = LeakReport['evals'][number];
type TrainEntry = LeakReport['trains'][number];

function evalEntry(set: NamedEval, evalIndex: number, read: EvalItems | undefined, parts: ReportParts): EvalEntry {
  const { leaked, suspect, classes } = parts.tally.itemsOf(evalIndex);
  const items = read?.items ?? [];
  const uncheckable = items.filter(isUncheckable).length;
  const ordered: Partial<Record<HitClass, number>> = {};
  for (const name of hitClass.options) if (classes[name] !== undefined) ordered[name] = classes[name];
  return {
    name: set.name,
    table: set.table,
    schema: set.schemaId,
    itemsRoot: set.itemsRoot,
    fields: set.fields,
    items: items.length,
    checked: items.length - uncheckable,
    uncheckable,
    leaked,
    suspect,
    classes: ordered,
    radius: radii(evalIndex, parts.index, items),
    notes: [...(read?.notes ?? [])],
  };
}

/** Items by certified radius. */
function radii(evalIndex: number, index: EvalIndex, items: readonly Item[]): [number, number][] {
  const counts = new Map<number, number>();
  // What is compared as a whole string stands no edit.
  const symbolsOnly = items.filter(isSymbolsOnly).length;
  if (symbolsOnly > 0) counts.set(0, symbolsOnly);
  for (const form of index.forms) {
    if (form.evalIndex !== evalIndex || form.role !== 'deciding') continue;
    const radius = radiusOf(form);
    counts.set(radius, (counts.get(radius) ?? 0) + form.items.length);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

function radiusOf({ length, n }: Form): number {
  return certifiedRadius(length, n, method.suspectCoverage(length));
}

/** By item, its strongest hits first. */
function byItem(a: Finding, b: Finding): number {
  return (
    a.evalIndex - b.evalIndex ||
    a.item - b.item ||
    Number(b.leak) - Number(a.leak) ||
    hitClass.options.indexOf(a.class) - hitClass.options.indexOf(b.class) ||
    b.coverage - a.coverage ||
    a.trainIndex - b.trainIndex ||
    a.row - b.row
  );
}

function hitsOf({ trains, evals, items, trainDigests, evalDigests, tally }: ReportParts): LeakHit[] {
  return [...tally.findings].sort(byItem).map((finding): LeakHit => {
    const set = evals[finding.evalIndex];
    const train = trains[finding.trainIndex];
    if (set === undefined || train === undefined) throw new TypeError('a finding names a set that was not checked');
    const { row, leak, coverage, longestRun } = finding;
    const role =
      finding.class === 'source-overlap'
        ? 'passage'
        : (items[finding.evalIndex]?.items[finding.item]?.role ?? 'question');
    return {
      eval: set.name,
      item: {
        row: finding.item,
        digest: idOf(evalDigests[finding.evalIndex], finding.item),
        source: set.sourceOf(finding.item),
      },
      class: finding.class,
      leak,
      field: (set.fields[role] ?? [role]).join('+'),
      coverage: Math.round(coverage * 1e4) / 1e4,
      longestRun,
      train: train.name,
      row: { row, digest: idOf(trainDigests[finding.trainIndex], row) },
      source: train.sourceOf(row),
    };
  });
}

function idOf(digests: Uint8Array | undefined, row: number): Sha256Id {
  return `sha256:${Buffer.from(digestAt(digests ?? new Uint8Array(), row)).toString('hex')}` as Sha256Id;
}

function guaranteeOf(
  verdict: Verdict,
  evals: readonly EvalEntry[],
  trains: readonly TrainEntry[],
  symbolsOnly: number,
  forms: readonly Form[],
): LeakReport['guarantee'] {
  const sum = (pick: (entry: EvalEntry) => number): number => evals.reduce((total, entry) => total + pick(entry), 0);
  const [items, checked] = [sum(({ items }) => items), sum(({ checked }) => checked)];
  const [leaked, suspect] = [sum((entry) => entry.leaked), sum((entry) => entry.suspect)];
  const unreadable = trains.reduce((total, train) => total + train.unreadable, 0);
  const empty = trains.filter(({ rows }) => rows === 0).map(({ name }) => name);
  const short = sum(({ classes }) => classes.short ?? 0);
  const notes = [
    ...(leaked > 0 ? [`${number(leaked)} of ${counted(items, 'question')} leaked`] : []),
    ...(empty.length > 0 ? [`${empty.join(', ')}: no rows to check`] : []),
    ...(unreadable > 0 ? [`${counted(unreadable, 'training row')} without text`] : []),
    ...(items > checked ? [`${counted(items - checked, 'question')} with nothing to search for`] : []),
    ...(suspect > 0 ? [`${number(suspect)} suspect`] : []),
    ...(short > 0 ? [`${number(short)} too short or too common to tell`] : []),
  ];
  const found = leaked + suspect + short > 0;
  const says = [
    `${verdict}: ${notes.length > 0 ? `${notes.join(', ')}. N` : 'n'}o training row holds`,
    ` half of any ${found ? 'other question' : 'question'} in runs of ${words(method.gramLong)} words or more`,
    ` (under ${method.shortBelowTokens} words: ${shares()} in runs of ${words(method.gramShort)}).`,
    ` ${number(checked)} of ${number(items)} checked; paraphrase not checked`,
  ].join('');
  const notSaid = [
    'paraphrases, translations and rewritten code',
    `questions under ${words(method.wholeAtLeastTokens)} words: they are searched as a whole, and count only where their answer or options stand near by`,
    ...shortForms(forms),
    'text inside images, audio, bytes or token ids',
  ];
  if (symbolsOnly > 0) {
    notSaid.push(
      `${counted(symbolsOnly, 'question')} of symbols alone: compared with whole texts, not looked for inside longer ones`,
    );
  }
  if (items > checked)
    notSaid.push(`${counted(items - checked, 'question')} without a word or a symbol: nothing of it can be searched`);
  if (unreadable > 0)
    notSaid.push(`${counted(unreadable, 'training row')} without text: export with the text and check again`);
  if (empty.length > 0) notSaid.push(`an empty training set: see that the file is what it should be`);
  return { says, doesNotSay: notSaid };
}

/** What is not certain of questions that are searched by their runs, but are short. */
function shortForms(forms: readonly Form[]): string[] {
  const ofWords = forms.filter((form) => form.role === 'deciding' && form.length >= method.wholeAtLeastTokens);
  const fragile = itemsOf(ofWords.filter((form) => radiusOf(form) === 0));
  const unspaced = itemsOf(
    ofWords.filter(({ n, length }) => length < method.shortBelowTokens && n === method.gramLong),
  );
  const characters = 'Chinese, Japanese or Korean';
  return [
    ...(fragile === 0
      ? []
      : [
          `${counted(fragile, 'question')} so short that one changed word (in ${characters} one character) may hide it`,
        ]),
    ...(unspaced === 0
      ? []
      : [
          `${counted(unspaced, 'question')} in ${characters} under ${method.shortBelowTokens} characters: sought in runs of ${words(method.gramLong)} characters, not of ${words(method.gramShort)}`,
        ]),
  ];
}

function itemsOf(forms: readonly Form[]): number {
  return forms.reduce((sum, { items }) => sum + items.length, 0);
}

/** The shares that shorter questions are reported from, "60 to 80 %". */
function shares(): string {
  const short = method.suspectRules.filter((rule) => rule.tokensAtLeast < method.shortBelowTokens);
  const percents = short.map((rule) => Math.round(rule.coverage * 100));
  return `${Math.min(...percents)} to ${Math.max(...percents)} %`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function counted(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
}

function words(value: number): string {
  return ['no', 'one', 'two', 'three', 'four', 'five'][value] ?? String(value);
}
