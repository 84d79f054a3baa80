/**
 * Small pure helpers for text that people read: numbers, sizes, tables, the nearest known name.
 * @module
 */

export { nearestName } from '../src/nearest-name.ts';
export { formatBytes } from '../src/size-text.ts';

/** 1234567 → `1,234,567`. */
export function formatCount(value: number | bigint): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 row`, `2 rows`. */
export function plural(value: number, noun: string, many = `${noun}s`): string {
  return `${formatCount(value)} ${value === 1 ? noun : many}`;
}

/** Seconds as `3 s`, `2 min 5 s`, `1 h 4 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** An id as people are shown it: its kind left out, 12 digits. */
export function shortId(id: string): string {
  return id.slice(id.lastIndexOf(':') + 1).slice(0, 12);
}

/** Text cut to a width, with `…`. Control characters, which could rewrite the terminal, are shown as `\x..`. */
export function clip(text: string, width: number): string {
  const characters = Array.from(printable(text));
  return characters.length <= width ? characters.join('') : `${characters.slice(0, Math.max(1, width - 1)).join('')}…`;
}

/** Text cut to a width with `…` in its middle, so that a path keeps its end. */
export function clipMiddle(text: string, width: number): string {
  const characters = Array.from(printable(text));
  if (characters.length <= width) return characters.join('');
  if (width < 2) return '';
  const end = Math.ceil((width - 1) / 2);
  return `${characters.slice(0, width - 1 - end).join('')}…${characters.slice(-end).join('')}`;
}

/** Text of data made safe for a terminal: control characters as escapes, bidirectional overrides too. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/**
 * Breaks a line at words to a width; what follows keeps the line's indentation, and stands under the text after a number
 * (`1. `), after what a line is (`error: `) or after the first column of a list. Words that are longer stay whole, as does `60 → 41`, and so does a line
 * that fits. Codes of styles have no width.
 */
export function wrapLine(line: string, width: number): string[] {
  if (shownLength(line) <= width) return [line];
  const [start, indent = '', mark = ''] = /^( *)(\d+\. |(?:error|hint|note|warning): |[^ ]+ {2,}(?=[^ ]))?/.exec(
    line,
  ) ?? [''];
  // A first column that takes most of the width leaves too little for the rest to stand beside it.
  const below = shownLength(start) <= width / 2 ? indent + ' '.repeat(shownLength(mark)) : indent;
  const lines: string[] = [];
  let current = start;
  for (const [, space = '', word = ''] of line.slice(start.length).matchAll(/( *)((?:[\d,]+ → )?[^ ]+)/g)) {
    if (current.trim() !== '' && shownLength(current + space + word) > width) {
      lines.push(current.trimEnd());
      current = below + word;
    } else current += space + word;
  }
  return [...lines, current];
}

function shownLength(text: string): number {
  // oxlint-disable-next-line no-control-regex
  return Array.from(text.replaceAll(/\u001b\[[0-9;]*m/g, '')).length;
}

/** How a table is set. */
export interface TableOptions {
  /** Columns that are set to the right. */
  readonly right?: readonly number[];
  /** Width to fit; the widest cells are cut. No limit when absent. */
  readonly width?: number | undefined;
}

/** Aligns cells in columns two spaces apart; the first row is the heading. */
export function alignTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  if (options.width !== undefined) narrow(widths, options.width);
  return rows.map((row) =>
    widths
      .map((width, i) => {
        const cell = clip(row[i] ?? '', width);
        return options.right?.includes(i) === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Takes from the widest column, one by one, until the table fits or nothing more can be taken. */
function narrow(widths: number[], width: number): void {
  let over = widths.reduce((sum, each) => sum + each + 2, -2) - width;
  while (over > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= 1) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over -= 1;
  }
}
