/**
 * A row's line taken apart into its members as they are spelled, without reading their values: most of them are
 * compared with a spelling that is the same.
 * @module
 */
import { type Row, readRow, writeMembers } from './row-json.ts';

/** Members of a row by name, each as it is spelled. */
export type SpelledRow = ReadonlyMap<string, string>;

const quote = 0x22;
const backslash = 0x5c;
const open = [0x7b, 0x5b];
const close = [0x7d, 0x5d];
const comma = 0x2c;

/**
 * Takes a line apart.
 * @param line one JSON object that was read before: it is not checked here
 * @throws RangeError for a line that is no object
 */
export function lineMembers(line: string): SpelledRow {
  const members = new Map<string, string>();
  const end = line.lastIndexOf('}');
  let at = line.indexOf('{') + 1;
  if (at === 0 || end < at) throw new RangeError('"line" expected a JSON object');
  for (;;) {
    const nameFrom = line.indexOf('"', at);
    if (nameFrom < 0 || nameFrom > end) return members;
    const nameEnd = stringEnd(line, nameFrom);
    const spelled = line.slice(nameFrom, nameEnd);
    const name = spelled.includes('\\') ? (JSON.parse(spelled) as string) : spelled.slice(1, -1);
    const from = line.indexOf(':', nameEnd) + 1;
    const to = valueEnd(line, from, end);
    members.set(name, line.slice(from, to).trim());
    at = to + 1;
  }
}

/** Whether two spellings, undefined for none, are of one value: members of objects in one order, null as good as none. */
export function isSameValue(one: string = 'null', other: string = 'null'): boolean {
  return one === other || normalised(one) === normalised(other);
}

function normalised(spelled: string): string | undefined {
  const row: Row = readRow(`{"v":${spelled}}`);
  return writeMembers(row).get('v');
}

/** The first place behind a string. */
function stringEnd(line: string, from: number): number {
  for (let at = line.indexOf('"', from + 1); at >= 0; at = line.indexOf('"', at + 1)) {
    let slashes = 0;
    while (line.charCodeAt(at - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  throw new RangeError('"line" expected a JSON object');
}

/** The place of the comma or brace behind a value. */
function valueEnd(line: string, from: number, end: number): number {
  let level = 0;
  for (let at = from; at < end; at++) {
    const code = line.charCodeAt(at);
    if (code === quote) at = stringEnd(line, at) - 1;
    else if (open.includes(code)) level += 1;
    else if (close.includes(code)) level -= 1;
    else if (code === comma && level === 0) return at;
  }
  return end;
}
