/**
 * Which layouts are worth being repacked, and what that would write and free. Pure: it decides by the facts of a store.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { isWhole } from '../tables/layout.ts';
import type { LayoutPart } from '../tables/layout.ts';
import { rowsPerGroup } from '../tables/part-file.ts';
import { recordsOfPart } from '../tables/used-rows.ts';
import type { FileFacts, StoreFacts, TableFacts } from './compact-facts.ts';

/** Why a table is repacked. */
export type FrayReason =
  /** Files that it draws from hold mostly rows that no table uses. */
  | 'dead-rows'
  /** It draws from many small parts. */
  | 'small-parts'
  /** Nobody else uses its parts, and its rows are strewn over them. */
  | 'strewn'
  /** It was named. */
  | 'named'
  /** Its rows were copied for another table, so that it can leave the old parts for nothing. */
  | 'shares';

/** A table to be repacked. */
export interface RepackJob {
  readonly table: TableFacts;
  readonly why: FrayReason;
}

/** A named table that stays as it is. */
export interface LeftAlone {
  readonly table: TableFacts;
  readonly why: string;
}

/** Tables that share files, the largest first; all of them leave these files. */
export interface RepackFamily {
  readonly jobs: readonly RepackJob[];
  /** Records of the files that are left. */
  readonly leaving: ReadonlySet<Sha256Id>;
  /** Estimates of what is written, and of what nothing will need any more. */
  readonly writtenBytes: number;
  readonly freedBytes: number;
}

/** What is to be done. */
export interface CompactPlan {
  readonly families: readonly RepackFamily[];
  readonly left: readonly LeftAlone[];
}

/** A file goes when less than this share of its rows is used by any table. */
const liveShareMin = 0.5;
/** What is written must be at most this share of what goes. */
const writtenShareMax = 0.5;
/** A part of fewer rows than a row group is small. */
const smallPartRowsMax = rowsPerGroup;
/** Reading one costs 5 ms of CPU beside its rows, as much as 1,000 rows of 780 bytes; so many may lie in a layout. */
const smallPartsMax = 16;

/** What is frayed, over the whole store. */
export function planFrayed(facts: StoreFacts): CompactPlan {
  const fixed = fixedRecords(facts);
  const tables = facts.tables.filter((table) => !table.raw && table.columns > 0);
  const leaving = new Map<Sha256Id, FrayReason>();
  for (const [id, { rows, live }] of facts.files) {
    if (!fixed.has(id) && live < rows * liveShareMin) leaving.set(id, 'dead-rows');
  }
  const users = usersOf(facts);
  for (const table of tables) {
    const small = smallParts(table, facts).filter((id) => !fixed.has(id));
    if (small.length > smallPartsMax) for (const id of small) if (!leaving.has(id)) leaving.set(id, 'small-parts');
    const own = recordsOf(table).every((id) => users.get(id) === 1 && !fixed.has(id));
    if (table.strewn && own) for (const id of recordsOf(table)) if (!leaving.has(id)) leaving.set(id, 'strewn');
  }
  const families = familiesOf(tables, leaving).map((jobs) => estimated(jobs, facts, new Set(leaving.keys())));
  return { families: families.filter(pays), left: [] };
}

/** These tables, whether frayed or not. */
export function planNamed(facts: StoreFacts, wanted: (table: TableFacts) => boolean): CompactPlan {
  const named = facts.tables.filter(wanted);
  const left: LeftAlone[] = [];
  const jobs: RepackJob[] = [];
  for (const table of named) {
    if (table.raw) left.push({ table, why: 'its parts are the only copy of a raw file' });
    else if (table.columns === 0 || liesWell(table, facts))
      left.push({ table, why: 'it lies in parts of its own, in order' });
    else jobs.push({ table, why: 'named' });
  }
  if (jobs.length === 0) return { families: [], left };
  const leaving = new Set(jobs.flatMap(({ table }) => recordsOf(table)));
  const fixed = fixedRecords(facts);
  const done = new Set(jobs.map(({ table }) => table));
  // Others that use the same files follow where that costs nothing, so that the files can go.
  for (const table of facts.tables) {
    if (done.has(table) || table.raw || table.columns === 0) continue;
    const follows = table.parts.some(({ part }) => isWhole(part) && leaving.has(part.id) && !fixed.has(part.id));
    if (follows) jobs.push({ table, why: 'shares' });
  }
  jobs.sort((a, b) => Number(a.why === 'shares') - Number(b.why === 'shares') || b.table.rows - a.table.rows);
  return { families: [estimated(jobs, facts, leaving)], left };
}

/** Whether this part of a table is left for new ones. */
export function isLeft(part: LayoutPart, leaving: ReadonlySet<Sha256Id>): boolean {
  return recordsOfPart(part).some((id) => leaving.has(id));
}

function pays({ jobs, writtenBytes, freedBytes }: RepackFamily): boolean {
  return jobs.some(({ why }) => why !== 'dead-rows') || writtenBytes <= freedBytes * writtenShareMax;
}

function recordsOf({ parts, digestRecords }: TableFacts): readonly Sha256Id[] {
  return [...parts.flatMap(({ part }) => recordsOfPart(part)), ...digestRecords];
}

/** Files that hold the only copy of a raw file's bytes, or rows without a column: they stay as they are. */
function fixedRecords({ tables }: StoreFacts): ReadonlySet<Sha256Id> {
  return new Set(tables.filter(({ raw, columns }) => raw || columns === 0).flatMap(recordsOf));
}

/** How many tables use each file. */
function usersOf({ tables }: StoreFacts): ReadonlyMap<Sha256Id, number> {
  const users = new Map<Sha256Id, number>();
  for (const table of tables) for (const id of new Set(recordsOf(table))) users.set(id, (users.get(id) ?? 0) + 1);
  return users;
}

/** Small parts that could be one: of those of another kind there may be fewer. */
function smallParts({ parts }: TableFacts, { files }: StoreFacts): readonly Sha256Id[] {
  const byKind = new Map<string, Set<Sha256Id>>();
  for (const { part } of parts) {
    if (!isWhole(part) || part.rows >= smallPartRowsMax) continue;
    const { kind } = files.get(part.id)!;
    byKind.set(kind ?? '', (byKind.get(kind ?? '') ?? new Set()).add(part.id));
  }
  return [...byKind.values()].flatMap((ids) => (ids.size > smallPartsMax ? [...ids] : []));
}

function liesWell(table: TableFacts, facts: StoreFacts): boolean {
  const { parts, rows, runs } = table;
  const whole = parts.every(({ part }) => isWhole(part));
  const stored = parts.reduce((sum, { part }) => sum + part.rows, 0);
  return whole && stored === rows && runs <= parts.length && smallParts(table, facts).length <= smallPartsMax;
}

/** Tables that share a file to be left are of one family. */
function familiesOf(
  tables: readonly TableFacts[],
  leaving: ReadonlyMap<Sha256Id, FrayReason>,
): readonly (readonly RepackJob[])[] {
  const families: { records: Set<Sha256Id>; jobs: RepackJob[] }[] = [];
  for (const table of tables) {
    const records = recordsOf(table).filter((id) => leaving.has(id));
    const [first] = records;
    if (first === undefined) continue;
    const job: RepackJob = { table, why: leaving.get(first)! };
    const joined = { records: new Set(records), jobs: [job] };
    for (const family of families.filter((each) => records.some((id) => each.records.has(id)))) {
      for (const id of family.records) joined.records.add(id);
      joined.jobs.push(...family.jobs);
      families.splice(families.indexOf(family), 1);
    }
    families.push(joined);
  }
  return families.map(({ jobs }) => jobs.toSorted((a, b) => b.table.rows - a.table.rows));
}

function estimated(jobs: readonly RepackJob[], facts: StoreFacts, all: ReadonlySet<Sha256Id>): RepackFamily {
  const leaving = new Set(jobs.flatMap(({ table }) => recordsOf(table)).filter((id) => all.has(id)));
  const copied = new Map<Sha256Id, number>();
  let writtenBytes = 0;
  for (const { table, why } of jobs) {
    if (why === 'shares') continue;
    for (const { part, rows } of table.parts) {
      if (!isLeft(part, leaving)) continue;
      const files = recordsOfPart(part).map((id) => facts.files.get(id)!);
      // Tables that use the same rows of a part share the copy; of columns beside each other each makes its own.
      const known = isWhole(part) ? (copied.get(part.id) ?? 0) : 0;
      const more = Math.min(known + rows, ...files.map(({ live }) => live)) - known;
      if (isWhole(part)) copied.set(part.id, known + more);
      writtenBytes += more * files.reduce((sum, file) => sum + bytesPerRow(file), 0);
    }
  }
  const users = usersOf(facts);
  const own = usersOf({ ...facts, tables: jobs.map(({ table }) => table) });
  const freed = [...leaving].filter((id) => own.get(id) === users.get(id));
  const freedBytes = freed.reduce((sum, id) => sum + facts.files.get(id)!.bytes, 0);
  return { jobs, leaving, writtenBytes: Math.round(writtenBytes), freedBytes };
}

function bytesPerRow({ bytes, rows }: FileFacts): number {
  return bytes / rows;
}
