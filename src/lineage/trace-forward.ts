/**
 * From rows forward: every version of every name that holds them, an equal row, or something made of one.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import { type JournalState, type VersionEntry, tableKey } from '../store/journal-state.ts';
import { type LineageStep, isReadStep, lineageGraph, versionsGraph } from './graph.ts';
import { filesRead } from './read-files.ts';
import { eachFound } from './digest-finder.ts';
import { type TableAccess, digestsOf, inputStarts, originsOf, rowAtAddress, rowsFrom } from './row-origins.ts';
import { eachAddress } from './row-groups.ts';
import { noRow } from './step-output.ts';

/** Where the rows begin: rows of a version, or rows of raw files by the file's digest. */
export type ForwardStart =
  | { readonly kind: 'version'; readonly entry: VersionEntry; readonly rows: readonly number[] }
  | { readonly kind: 'file'; readonly sha256: string; readonly rows: readonly number[] };

/** What a version holds of the rows. */
export interface Holding {
  readonly entry: VersionEntry;
  /** Positions of rows with the values of a row that was asked for, from 0, ascending. */
  readonly same: readonly number[];
  /** Positions of rows that were made of one and have other values. */
  readonly made: readonly number[];
  /** Steps that the rows went through, oldest first, as `filter@1`. */
  readonly through: readonly string[];
  /** Why nobody can tell whether more rows were made of them; null where all are known. */
  readonly unknown: string | null;
  /** Of a version that holds none, though what it was made of did: the step that let them go. */
  readonly gone: Gone | null;
}

/** A step of which nothing came that was made of the rows. */
export interface Gone {
  /** As `filter@1`. */
  readonly by: string;
  /** The last version before that holds one, and the position of the first there. */
  readonly from: VersionEntry;
  readonly row: number;
}

/** Rows of a step's output that are concerned. */
interface Marks {
  readonly rows: Uint32Array;
  readonly digests: ReadonlySet<string>;
  readonly through: readonly string[];
  readonly unknown: string | null;
  /** The last version on the way that holds such rows, and the first of them there. */
  readonly last: Pick<Gone, 'from' | 'row'> | null;
  /** Where there are none any more, but the version at hand is not reached yet. */
  readonly gone: Gone | null;
}

const nothing: Marks = {
  rows: new Uint32Array(0),
  digests: new Set(),
  through: [],
  unknown: null,
  last: null,
  gone: null,
};

/**
 * Versions that hold the rows or something made of them, in the order of the journal. Rows count as held by their
 * digests, so that a copy of the row that came by another way is found too.
 * @throws HoldoutError as the store does
 */
export async function traceForward(
  access: TableAccess,
  state: JournalState,
  start: ForwardStart,
): Promise<readonly Holding[]> {
  const entries = state.entries.filter((entry) => entry.op === 'version');
  const steps = await versionsGraph(access.store, state, entries);
  const begin = await startDigests(access, state, steps, start);
  const marks = new Map<number, Marks>();
  const seen = new Map<string, Uint8Array>();
  const holdings: Holding[] = [];
  for (const step of steps) {
    const { output } = step.realisation;
    // Before others are read: at 13 million rows one table's are 400 MB.
    if (!seen.has(tableKey(output))) seen.clear();
    const own = await startRows(access, step, start);
    const before = await marksBefore(access, steps, step, marks);
    // One table is often that of several versions; the last one read is kept for the next step.
    const digests = seen.get(tableKey(output)) ?? (await digestsOf(access, output).catch(whyUnreadable));
    if (typeof digests !== 'string') seen.set(tableKey(output), digests);
    const found = typeof digests === 'string' ? unread(before.rows) : mark(digests, { asked: begin, before, own });
    const { rows, digests: held } = found;
    const { through } = before;
    const unknown = before.unknown ?? (typeof digests === 'string' ? digests : null);
    const isHeld = rows.length > 0 || unknown !== null;
    const first = rows[0];
    const last = step.named && first !== undefined ? { from: step.entry, row: first } : before.last;
    const gone = isHeld ? null : goneAt(step, marks);
    marks.set(step.index, { rows, digests: held, through, unknown, last, gone: step.named ? null : gone });
    if (!step.named || (!isHeld && gone === null)) continue;
    const same = new Set(found.same);
    const made = [...found.rows].filter((row) => !same.has(row));
    holdings.push({ entry: step.entry, same: found.same, made, through, unknown, gone });
  }
  return holdings;
}

/** The step that let the rows go: this one, of whose inputs one held them, or one since the version before. */
function goneAt(step: LineageStep, marks: ReadonlyMap<number, Marks>): Gone | null {
  const inputs = rowsFrom(step).map((input) => marks.get(input.step) ?? nothing);
  const before = inputs.find(({ gone }) => gone !== null)?.gone;
  const last = inputs.find(({ rows, unknown }) => rows.length > 0 && unknown === null)?.last;
  const { name, version } = step.derivation.transform;
  return last === undefined || last === null ? (before ?? null) : { by: `${name}@${version}`, ...last };
}

/** Digests of the rows that were asked for. */
async function startDigests(
  access: TableAccess,
  state: JournalState,
  steps: readonly LineageStep[],
  start: ForwardStart,
): Promise<ReadonlySet<string>> {
  if (start.kind === 'version') {
    const { output } = (await lineageGraph(access.store, state, start.entry)).at(-1)!.realisation;
    return digestSet(await digestsOf(access, output), start.rows);
  }
  for (const step of steps) {
    const rows = await startRows(access, step, start);
    if (rows.length > 0) return digestSet(await digestsOf(access, step.realisation.output), rows);
  }
  return new Set();
}

/** Rows of a step's output that are the start itself. */
async function startRows(access: TableAccess, step: LineageStep, start: ForwardStart): Promise<readonly number[]> {
  if (start.kind === 'version') return step.named && step.entry.seq === start.entry.seq ? start.rows : [];
  if (!isReadStep(step.derivation)) return [];
  const files = await filesRead(access.store, step);
  return files
    .filter(({ blob }) => blob.sha256 === start.sha256)
    .flatMap(({ firstRow, blob }) => start.rows.filter((row) => row < blob.rows).map((row) => firstRow + row));
}

interface Before {
  /** Digests of rows all of which count. */
  readonly digests: ReadonlySet<string>;
  /** Rows of the output that were made of marked ones, ascending. */
  readonly rows: readonly number[];
  readonly through: readonly string[];
  readonly unknown: string | null;
  readonly last: Marks['last'];
}

/** What the inputs of a step say of its output. */
async function marksBefore(
  access: TableAccess,
  steps: readonly LineageStep[],
  step: LineageStep,
  marks: ReadonlyMap<number, Marks>,
): Promise<Before> {
  const inputs = step.inputs.map((input) => marks.get(input.step) ?? nothing);
  const marked = inputs.find(({ rows, unknown }) => rows.length > 0 || unknown !== null);
  if (marked === undefined) return { digests: new Set(), rows: [], through: [], unknown: null, last: null };
  const { name, version } = step.derivation.transform;
  const { last } = marked;
  const through = [...marked.through, `${name}@${version}`];
  const unknown = inputs.find((input) => input.unknown !== null)?.unknown ?? null;
  const selects = step.realisation.origins === undefined;
  // Where only some of equal rows stayed, nobody can tell which: all of them count.
  const thinned = selects
    ? await thinnedOut(access, step, inputs[0]?.digests ?? new Set()).catch(whyUnreadable)
    : new Set<string>();
  const origins = await originsOf(access, step).catch(whyUnreadable);
  if (typeof origins === 'string' || typeof thinned === 'string') {
    const why = [origins, thinned].find((each) => typeof each === 'string') ?? null;
    return { digests: new Set(), rows: [], through, unknown: why, last };
  }
  if (origins.kind === 'unknown') return { digests: new Set(), rows: [], through, unknown: origins.why, last };
  if (origins.kind === 'same')
    return { digests: new Set(), rows: [...(inputs[0]?.rows ?? [])], through, unknown, last };
  const starts = inputStarts(steps, step);
  const wanted = inputs.map(({ rows }) => new Set(rows));
  const rows: number[] = [];
  eachAddress(origins.of, (row, address) => {
    const at = address === noRow ? null : rowAtAddress(starts, address);
    // A group counts once.
    if (at !== null && wanted[at.input]!.has(at.row) && rows.at(-1) !== row) rows.push(row);
  });
  return { digests: thinned, rows, through, unknown, last };
}

/** Of a table that was dropped and that only code of the person's own makes again: why it cannot be read. @throws the rest */
function whyUnreadable(error: unknown): string {
  if (error instanceof HoldoutError && error.code === 'CONFLICT') return error.message;
  throw error;
}

/** What is known of such a table: what its step says. */
function unread(rows: readonly number[]): ReturnType<typeof mark> {
  return { rows: Uint32Array.from(rows), digests: new Set(), same: [] };
}

/** Those of these digests of which a selection kept fewer rows than its input had, but some. */
async function thinnedOut(
  access: TableAccess,
  { inputs, realisation }: LineageStep,
  digests: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  if (digests.size === 0 || inputs[0] === undefined) return new Set();
  const before = countsOf(await digestsOf(access, inputs[0].ref), digests);
  const after = countsOf(await digestsOf(access, realisation.output), digests);
  return new Set([...digests].filter((digest) => (after.get(digest) ?? 0) < (before.get(digest) ?? 0)));
}

function countsOf(table: Uint8Array, digests: ReadonlySet<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  eachFound(table, digests, (_, digest) => counts.set(digest, (counts.get(digest) ?? 0) + 1));
  return counts;
}

function mark(
  digests: Uint8Array,
  {
    asked,
    before,
    own,
  }: { readonly asked: ReadonlySet<string>; readonly before: Before; readonly own: readonly number[] },
): Pick<Marks, 'rows' | 'digests'> & { readonly same: readonly number[] } {
  const rows = new Set([...before.rows, ...own]);
  const same: number[] = [];
  eachFound(digests, new Set([...asked, ...before.digests]), (row, digest) => {
    if (asked.has(digest)) same.push(row);
    rows.add(row);
  });
  const all = Uint32Array.from(rows).sort();
  return { rows: all, same, digests: digestSet(digests, all) };
}

function digestSet(digests: Uint8Array, rows: Iterable<number>): ReadonlySet<string> {
  const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
  return new Set(Array.from(rows, (row) => bytes.toString('latin1', row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES)));
}
