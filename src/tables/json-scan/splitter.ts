/**
 * Cuts a JSON document into rows, one a line: the elements of a top-level array, or of the one member of a top-level
 * object that is a list of objects. White space outside strings goes. What stands around the rows is kept as the
 * skeleton (`{"canary":"…","examples":[]}`), so that it can be checked like a row.
 *
 * Only the brackets around the rows are checked here; the scan of the rows and of the skeleton checks the rest, and
 * nothing here makes valid what was not: between two bare words or numbers a blank stays.
 * @module
 */

/** Where the reading stands. Flat, so that a copy is a point to return to. */
export interface SplitState {
  /** Bytes fed before this chunk. */
  fed: number;
  line: number;
  depth: number;
  /** The brackets that are open, `depth` of them. */
  open: string;
  form: 'array' | 'object' | null;
  /** Whether this is inside a list of rows, and at which depth its rows begin. */
  inRows: boolean;
  rowDepth: number;
  expect: 'first' | 'comma' | 'row';
  inString: boolean;
  escaped: boolean;
  gap: boolean;
  lastBare: boolean;
  /** The last token opened the list that is the value of a top-level member. */
  listOpened: boolean;
  /** The last string at depth 1, in the skeleton. */
  keyFrom: number;
  keyTo: number;
  rows: number;
  /** Bytes written for rows in all, and when the last row began. */
  rowBytes: number;
  rowFrom: number;
  /** Bytes that wait in `out`, and in the skeleton. */
  outLength: number;
  skeletonLength: number;
  ended: boolean;
}

/** What the state machine writes to. */
export interface SplitOutput {
  out: Uint8Array;
  skeleton: Uint8Array;
  /** Keys of members that are lists of objects; rows of the second and later are not written. */
  readonly keys: string[];
  onRow(offset: number, line: number): void;
  /** The offset one past the last byte of the row. */
  onRowEnd?(offset: number): void;
}

/** A document that cannot be cut: what is wrong, and the offset of the byte. */
export class SplitFault extends Error {
  readonly offset: number;
  constructor(says: string, offset: number) {
    super(says);
    this.offset = offset;
  }
}

/** The state before the first byte, which is at `offset` (3 behind a byte order mark). */
export function beginSplit(offset: number): SplitState {
  return {
    fed: offset,
    line: 0,
    depth: 0,
    open: '',
    form: null,
    inRows: false,
    rowDepth: 0,
    expect: 'first',
    inString: false,
    escaped: false,
    gap: false,
    lastBare: false,
    listOpened: false,
    keyFrom: 0,
    keyTo: 0,
    rows: 0,
    rowBytes: 0,
    rowFrom: 0,
    outLength: 0,
    skeletonLength: 0,
    ended: false,
  };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;
const LINE_FEED = 0x0a;

/**
 * Feeds the document's next bytes; rows go to `output.out` from `state.outLength` on.
 * @throws SplitFault
 */
export function feedSplit(state: SplitState, output: SplitOutput, chunk: Uint8Array): void {
  reserve(state, output, chunk.length);
  let i = 0;
  while (i < chunk.length) {
    if (state.inString) {
      i = takeString(state, output, chunk, i);
      continue;
    }
    const c = chunk[i] ?? 0;
    if (c === SPACE || c === LINE_FEED || c === 0x0d || c === 0x09) {
      if (c === LINE_FEED) state.line++;
      state.gap = true;
    } else {
      takeToken(state, output, c, state.fed + i);
    }
    i++;
  }
  state.fed += chunk.length;
}

/**
 * Says that the document has ended.
 * @throws SplitFault when it ends too early
 */
export function endSplit(state: SplitState): void {
  if (!state.ended) throw new SplitFault('the document ends before its closing bracket', state.fed);
}

function takeString(state: SplitState, output: SplitOutput, chunk: Uint8Array, from: number): number {
  let at = from;
  if (state.escaped) {
    state.escaped = false;
    at++;
  }
  let c = SPACE;
  for (; at < chunk.length; at++) {
    c = chunk[at] ?? 0;
    if (c === QUOTE || c < SPACE) break;
    if (c === BACKSLASH) {
      if (at + 1 === chunk.length) state.escaped = true;
      at++;
    }
  }
  if (at > chunk.length) at = chunk.length;
  if (at < chunk.length && c < SPACE) {
    throw new SplitFault('a control character (a line end, for example) stands in a string as it is', state.fed + at);
  }
  const closed = at < chunk.length;
  const to = closed ? at + 1 : at;
  writeRun(state, output, chunk, from, to);
  if (closed) {
    state.inString = false;
    if (state.depth === 1 && !state.inRows) state.keyTo = state.skeletonLength;
  }
  return to;
}

function takeToken(state: SplitState, output: SplitOutput, c: number, offset: number): void {
  const listOpened = state.listOpened;
  state.listOpened = false;
  if (state.depth === 0) {
    beginDocument(state, output, c, offset);
    return;
  }
  if (listOpened && c === OPEN_OBJECT) {
    const key = Buffer.from(output.skeleton.subarray(state.keyFrom, state.keyTo)).toString('utf8');
    output.keys.push(key);
    state.inRows = true;
    state.rowDepth = 2;
    state.expect = 'first';
  }
  if (state.inRows && state.depth === state.rowDepth) {
    takeBetweenRows(state, output, c, offset);
    return;
  }
  const bare = isBare(c);
  if (bare && state.lastBare && state.gap) write(state, output, SPACE);
  state.gap = false;
  state.lastBare = bare;
  if (c === QUOTE) {
    state.inString = true;
    if (state.depth === 1) state.keyFrom = state.skeletonLength;
  } else if (c === OPEN_OBJECT || c === OPEN_LIST) {
    openBracket(state, c, offset);
    state.listOpened = c === OPEN_LIST && state.depth === 2 && !state.inRows;
  } else if (c === CLOSE_OBJECT || c === CLOSE_LIST) {
    closeBracket(state, c, offset);
  }
  write(state, output, c);
  if (state.inRows && state.depth === state.rowDepth) {
    write(state, output, LINE_FEED);
    if (output.keys.length < 2) output.onRowEnd?.(offset + 1);
  }
  state.ended = state.depth === 0;
}

function beginDocument(state: SplitState, output: SplitOutput, c: number, offset: number): void {
  if (state.ended) throw new SplitFault('something follows the end of the document', offset);
  if (c !== OPEN_LIST && c !== OPEN_OBJECT) throw new SplitFault('a list or an object is expected here', offset);
  openBracket(state, c, offset);
  state.gap = false;
  if (c === OPEN_LIST) {
    state.form = 'array';
    state.inRows = true;
    state.rowDepth = 1;
  } else {
    state.form = 'object';
    write(state, output, c);
  }
}

function takeBetweenRows(state: SplitState, output: SplitOutput, c: number, offset: number): void {
  if (state.expect === 'comma' && c === COMMA) {
    state.expect = 'row';
  } else if (state.expect !== 'row' && c === CLOSE_LIST) {
    state.inRows = false;
    closeBracket(state, c, offset);
    state.ended = state.depth === 0;
    if (!state.ended) write(state, output, c);
  } else if (state.expect === 'comma') {
    throw new SplitFault('"," or "]" is expected after the row', offset);
  } else if (c !== OPEN_OBJECT) {
    throw new SplitFault('a row must be an object, and something else begins here', offset);
  } else {
    state.expect = 'comma';
    openBracket(state, c, offset);
    if (output.keys.length < 2) {
      state.rows++;
      state.rowFrom = state.rowBytes;
      output.onRow(offset, state.line);
    }
    write(state, output, c);
  }
  state.gap = false;
  state.lastBare = false;
}

function openBracket(state: SplitState, c: number, offset: number): void {
  // The scan refuses far less; this only bounds what is kept here.
  if (state.depth >= 1000) throw new SplitFault('lists and objects are nested too deeply', offset);
  state.depth++;
  state.open += c === OPEN_LIST ? '[' : '{';
}

function closeBracket(state: SplitState, c: number, offset: number): void {
  const opened = state.open.charCodeAt(state.depth - 1);
  if (opened !== (c === CLOSE_LIST ? OPEN_LIST : OPEN_OBJECT)) {
    throw new SplitFault(`"${String.fromCharCode(c)}" closes what "${String.fromCharCode(opened)}" opened`, offset);
  }
  state.depth--;
  state.open = state.open.slice(0, -1);
}

/** Whether the byte belongs to a number or a word such as `true`. */
function isBare(c: number): boolean {
  return !(
    c === QUOTE ||
    c === OPEN_OBJECT ||
    c === CLOSE_OBJECT ||
    c === OPEN_LIST ||
    c === CLOSE_LIST ||
    c === COMMA ||
    c === COLON
  );
}

function write(state: SplitState, output: SplitOutput, c: number): void {
  if (!state.inRows) {
    output.skeleton[state.skeletonLength++] = c;
  } else if (output.keys.length < 2) {
    output.out[state.outLength++] = c;
    state.rowBytes++;
  }
}

function writeRun(state: SplitState, output: SplitOutput, chunk: Uint8Array, from: number, to: number): void {
  const bytes = to - from;
  const skeleton = !state.inRows;
  if (!skeleton && output.keys.length >= 2) return;
  const target = skeleton ? output.skeleton : output.out;
  const at = skeleton ? state.skeletonLength : state.outLength;
  if (bytes < 64) for (let i = 0; i < bytes; i++) target[at + i] = chunk[from + i] ?? 0;
  else target.set(chunk.subarray(from, to), at);
  if (skeleton) {
    state.skeletonLength += bytes;
  } else {
    state.outLength += bytes;
    state.rowBytes += bytes;
  }
}

/** Room for what a chunk can write: each of its bytes, and a line end or a blank for some. */
function reserve(state: SplitState, output: SplitOutput, bytes: number): void {
  output.out = withRoom(output.out, state.outLength, 2 * bytes + 2);
  output.skeleton = withRoom(output.skeleton, state.skeletonLength, 2 * bytes + 2);
}

function withRoom(buffer: Uint8Array, length: number, bytes: number): Uint8Array {
  if (buffer.length - length >= bytes) return buffer;
  const larger = new Uint8Array(Math.max(buffer.length * 2, length + bytes));
  larger.set(buffer.subarray(0, length));
  return larger;
}
