/**
 * A leak report as people read it: the verdict first, then what leaked and where, then what the verdict means.
 * @module
 */
import type { HitClass, LeakHit, LeakReport } from '../schemas/leak-report.ts';
import type { Evidence, MarkedText } from '../src/leakage/evidence.ts';
import { styled, stylesShown } from './output.ts';
import { formatFields } from './parse-options.ts';
import { formatCount, plural, printable } from './text.ts';

/** What `class` means, in words. */
const classMeaning: Readonly<Record<HitClass, string>> = {
  'row-equal': 'the whole row stands in the training set',
  'key-equal': 'question and answer equal those of a training row',
  'normalised-equal': 'the question stands in a training row but for spacing, case or punctuation',
  contained: 'a large part of the question stands in a training row',
  short: 'too few words, or too common ones, are shared to tell',
  suspect: 'half of the question or more stands in a training row',
  'source-overlap': 'its passage stands in a training row, its question does not',
};

/** How much is shown. */
export interface CheckTextOptions {
  /** Hits to list for each eval set. */
  readonly limit: number;
  readonly evidence: ReadonlyMap<LeakHit, Evidence>;
}

/** The hits that are listed: the best of each item, leaks first, then suspects; so many items of each eval set. */
export function listedHits(report: LeakReport, limit: number): LeakHit[] {
  return report.evals.flatMap(({ name }) => {
    const best = new Map<number, LeakHit>();
    // Hits stand in the order of their items, the strongest of each first.
    for (const hit of report.hits) if (hit.eval === name && !best.has(hit.item.row)) best.set(hit.item.row, hit);
    return [...best.values()].sort((a, b) => weightOf(a) - weightOf(b)).slice(0, limit);
  });
}

function weightOf(hit: LeakHit): number {
  if (hit.leak) return 0;
  return hit.class === 'suspect' ? 1 : 2;
}

/** The report's lines. */
export function reportLines(report: LeakReport, options: CheckTextOptions): string[] {
  const lines = [verdictLine(report)];
  for (const set of report.evals) lines.push('', ...evalLines(report, set, options));
  lines.push('', ...trainLines(report));
  for (const note of report.notes) lines.push(`Note: ${note}`);
  if (report.guarantee.doesNotSay.length > 0) {
    lines.push('Not covered:', ...report.guarantee.doesNotSay.map((each) => `  - ${each}`));
  }
  return lines;
}

function verdictLine({ verdict, guarantee }: LeakReport): string {
  const colour = verdict === 'clean' ? 'green' : verdict === 'leak' ? 'red' : 'yellow';
  const rest = guarantee.says.startsWith(verdict) ? guarantee.says.slice(verdict.length) : `: ${guarantee.says}`;
  return styled(colour, verdict.toUpperCase()) + rest;
}

type EvalEntry = LeakReport['evals'][number];

function evalLines(report: LeakReport, set: EvalEntry, { limit, evidence }: CheckTextOptions): string[] {
  const lines = [
    `${styled('bold', set.name)}: ${formatCount(set.leaked)} of ${plural(set.items, 'item')} leaked, ${formatCount(set.suspect)} suspect  (${formatFields(set.fields)})`,
  ];
  for (const note of set.notes) lines.push(`  ${note}`);
  for (const [name, count] of Object.entries(set.classes)) {
    lines.push(`  ${String(count).padStart(5)}  ${name}: ${classMeaning[name as HitClass]}`);
  }
  if (set.uncheckable > 0) {
    lines.push(`  ${String(set.uncheckable).padStart(5)}  not checked: nothing is left of them to search for`);
  }
  const rowsOf = new Map<number, number>();
  for (const hit of report.hits) {
    if (hit.eval === set.name) rowsOf.set(hit.item.row, (rowsOf.get(hit.item.row) ?? 0) + 1);
  }
  const shown = listedHits(report, limit).filter((hit) => hit.eval === set.name);
  for (const hit of shown) lines.push(...hitLines(hit, (rowsOf.get(hit.item.row) ?? 1) - 1, evidence.get(hit)));
  if (rowsOf.size > shown.length) {
    lines.push(`  … and ${plural(rowsOf.size - shown.length, 'more item')} (--limit N shows more, --json every hit)`);
  }
  return lines;
}

function hitLines(hit: LeakHit, otherRows: number, evidence: Evidence | undefined): string[] {
  const where = hit.source === null ? `${hit.train} row ${hit.row.row + 1}` : `${hit.source.file}:${hit.source.line}`;
  const others = otherRows === 0 ? '' : ` and ${plural(otherRows, 'more row')}`;
  const share = `${Math.round(hit.coverage * 100)} %`;
  const mark = hit.leak ? styled('red', 'leak') : styled('yellow', hit.class === 'suspect' ? 'look' : 'note');
  const lines = [
    `  ${mark}  ${printable(itemName(hit))} in ${printable(where)}${others}  ${hit.class}, ${share} of ${hit.field}, longest run ${plural(hit.longestRun, 'word')}`,
  ];
  if (evidence !== undefined) {
    lines.push(`        eval   ${marked(evidence.item)}`, `        train  ${marked(evidence.row)}`);
  }
  return lines;
}

/** Where the item stands: its line, or its number in the set. */
function itemName({ item }: LeakHit): string {
  return item.source === null ? `item ${item.row + 1}` : `${item.source.file}:${item.source.line}`;
}

/** A text with its shared stretches in bold, or in «» where there are no styles. */
function marked({ text, spans }: MarkedText): string {
  const [before, after] = stylesShown() ? (styled('bold', '\0').split('\0') as [string, string]) : ['«', '»'];
  let shown = '';
  let at = 0;
  for (const [start, end] of spans) {
    shown += `${printable(text.slice(at, start))}${before}${printable(text.slice(start, end))}${after}`;
    at = end;
  }
  return shown + printable(text.slice(at));
}

function trainLines({ trains }: LeakReport): string[] {
  return trains.map((train) => {
    const unreadable = train.unreadable === 0 ? '' : `, ${formatCount(train.unreadable)} without text`;
    const found = `${formatCount(train.leakedRows)} with a leak, ${formatCount(train.suspectRows)} with suspects only`;
    return `Checked against ${train.name}: ${plural(train.rows, 'row')}${unreadable}; ${found}`;
  });
}
