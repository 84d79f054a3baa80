/**
 * The texts behind a hit, looked up at the moment they are shown and stored nowhere: erasing a row erases them.
 * @module
 */
import type { LeakHit } from '../../schemas/leak-report.ts';
import { HoldoutError } from '../errors.ts';
import { OverlapMeter } from './coverage.ts';
import type { EvalIndex } from './eval-index.ts';
import type { EvalItems } from './items.ts';
import { symbolForm } from './normal-form.ts';
import { readRowTokens } from './row-tokens.ts';
import type { RowTokens } from './row-tokens.ts';
import { parseRow, rowStrings } from './row-text.ts';
import { visitTokens } from './tokens.ts';
import type { NamedTable } from './types.ts';

/** A text with the places in it that both sides share, as [start, end) in UTF-16 units. */
export interface MarkedText {
  readonly text: string;
  readonly spans: readonly (readonly [start: number, end: number])[];
}

/** What a person looks at to judge a hit. */
export interface Evidence {
  /** The item's deciding field. */
  readonly item: MarkedText;
  /** The stretch of the training row that holds it, with some text around; `…` where it was cut. */
  readonly row: MarkedText;
  /** Column of the row in which the stretch stands. */
  readonly column: string;
}

const aroundCharacters = 120;
const textCharactersMax = 4000;

/** What evidence is looked up in. */
export interface EvidenceSource {
  readonly index: EvalIndex;
  readonly items: readonly EvalItems[];
  readonly evalNames: readonly string[];
  readonly trains: readonly NamedTable[];
}

/**
 * Looks the texts of hits up, in one pass over the training sets concerned.
 * @throws HoldoutError NOT_FOUND when a hit is not of these sets.
 */
export async function evidenceOf(hits: readonly LeakHit[], source: EvidenceSource): Promise<Evidence[]> {
  const lines = new Map<string, string>();
  for (const train of source.trains) {
    const rows = new Set(hits.filter((hit) => hit.train === train.name).map((hit) => hit.row.row));
    for (const [row, line] of await linesOf(train, rows)) lines.set(`${row} ${train.name}`, line);
  }
  const meter = new OverlapMeter(source.index.trie.size);
  return hits.map((hit) => {
    const evalIndex = source.evalNames.indexOf(hit.eval);
    const train = source.trains.find(({ name }) => name === hit.train);
    const line = lines.get(`${hit.row.row} ${hit.train}`);
    const item = source.items[evalIndex]?.items[hit.item.row];
    if (train === undefined || line === undefined || item === undefined) {
      throw new HoldoutError(
        'NOT_FOUND',
        `no row ${hit.row.row} of ${hit.train} for item ${hit.item.row} of ${hit.eval}`,
      );
    }
    const role = hit.class === 'source-overlap' ? 'passage' : 'deciding';
    const form = source.index.forms.find(
      (form) => form.evalIndex === evalIndex && form.role === role && form.items.includes(item),
    );
    const row = readRowTokens(rowStrings(parseRow(line), train.reader.schema), source.index, true);
    const text = role === 'passage' ? item.passageText : item.text;
    if (form === undefined) return wholeString(text, item.symbols, row);
    const overlap = meter.measure(form, row);
    if (overlap === null) throw new TypeError('a measure without a minimum is never null');
    const skipped = role === 'passage' ? 0 : item.preamble;
    const shared = meter.sharedTokens(form, row, overlap.from, overlap.to);
    return { item: markItem(text, shared.item, skipped), ...markRow(row, shared.row) };
  });
}

/** An item without words equals one string of the row as a whole. */
function wholeString(text: string, symbols: string, row: RowTokens): Evidence {
  const equal = row.strings.find((string) => symbolForm(string.text) === symbols) ?? { text: '', column: '' };
  return { item: all(text), row: all(equal.text), column: equal.column };
}

function all(text: string): MarkedText {
  return { text, spans: [[0, text.length]] };
}

async function linesOf(train: NamedTable, rows: ReadonlySet<number>): Promise<Map<number, string>> {
  const lines = new Map<number, string>();
  if (rows.size === 0) return lines;
  const last = Math.max(...rows);
  for await (const block of train.reader.jsonLines()) {
    if (block.firstRow > last) break;
    const wanted = [...rows].filter((row) => row >= block.firstRow && row < block.firstRow + block.rows);
    if (wanted.length === 0) continue;
    const texts = new TextDecoder('utf-8', { ignoreBOM: true }).decode(block.bytes).split('\n');
    const filled = texts.filter((text) => text.trim() !== '');
    for (const row of wanted) {
      const line = filled[row - block.firstRow];
      if (line !== undefined) lines.set(row, line.replace(/^\ufeff/, ''));
    }
  }
  return lines;
}

function markItem(text: string, covered: ReadonlySet<number>, skipped: number): MarkedText {
  const spans: [number, number][] = [];
  let token = -skipped;
  visitTokens(text, (_token, start, end) => {
    if (covered.has(token++)) addSpan(spans, start, end, text);
  });
  return { text, spans };
}

/** The stretch of the row from the first shared token to the last; a match over several strings shows the fullest. */
function markRow(row: RowTokens, sharedTokens: ReadonlySet<number>): Pick<Evidence, 'row' | 'column'> {
  const shared = [...sharedTokens].sort((a, b) => a - b);
  const perString = new Map<number, number[]>();
  for (const token of shared) {
    const string = row.stringOf[token] ?? 0;
    perString.set(string, [...(perString.get(string) ?? []), token]);
  }
  const [string, tokens] = [...perString].sort(([, a], [, b]) => b.length - a.length)[0] ?? [0, []];
  const { text, column } = row.strings[string] ?? { text: '', column: '' };
  const from = Math.max(0, (row.starts[tokens[0] ?? 0] ?? 0) - aroundCharacters);
  const to = Math.min(text.length, from + textCharactersMax, (row.ends[tokens.at(-1) ?? 0] ?? 0) + aroundCharacters);
  const head = from > 0 ? '…' : '';
  const shown = `${head}${text.slice(from, to)}${to < text.length ? '…' : ''}`;
  const spans: [number, number][] = [];
  for (const token of tokens) {
    const [start, end] = [(row.starts[token] ?? 0) - from + head.length, (row.ends[token] ?? 0) - from + head.length];
    if (end <= shown.length) addSpan(spans, start, end, shown);
  }
  return { row: { text: shown, spans }, column };
}

/** Adds a span, joined to the one before where no letter stands between them. */
function addSpan(spans: [number, number][], start: number, end: number, text: string): void {
  const last = spans.at(-1);
  if (last !== undefined && !/[\p{L}\p{N}]/u.test(text.slice(last[1], start))) last[1] = end;
  else spans.push([start, end]);
}
