/**
 * The state of a store: the fold of its journal. Each state is a value of its own; a later entry makes a new one.
 * @module
 */
import type { Sha256Id, TableId } from '../../schemas/ids.ts';
import type { JournalEntry, TableRef } from '../../schemas/records.ts';

type EntryOf<Op extends JournalEntry['op']> = Extract<JournalEntry, { op: Op }>;
export type VersionEntry = EntryOf<'version'>;
export type ReportEntry = EntryOf<'report'>;
export type PinEntry = EntryOf<'pin'>;

type DraftOf<Entry> = Entry extends JournalEntry ? Omit<Entry, 'type' | 'seq' | 'previous' | 'time'> : never;
/** A journal entry before it has its place in the chain. */
export type JournalDraft = DraftOf<Exclude<JournalEntry, EntryOf<'init'>>>;

/** Key of a table as seen under a schema. */
export type TableKey = `${TableId} ${Sha256Id}`;

export interface JournalState {
  /** Number of the last entry; 0 before the first. */
  readonly seq: number;
  /** Id of the last entry. */
  readonly head: Sha256Id | null;
  /** All entries, oldest first. */
  readonly entries: readonly JournalEntry[];
  /** Versions of each name, oldest first. */
  readonly names: ReadonlyMap<string, readonly VersionEntry[]>;
  /** Current layout of each table as seen under a schema. */
  readonly layouts: ReadonlyMap<TableKey, Sha256Id>;
  /** Tables that were dropped: they have no layout until they are rebuilt. */
  readonly dropped: ReadonlySet<TableKey>;
  readonly reports: readonly ReportEntry[];
  readonly pins: readonly PinEntry[];
}

/** A linked entry, its id, and for a version the table that its snapshot names (null where that cannot be read). */
export interface ChainedEntry {
  readonly entry: JournalEntry;
  readonly id: Sha256Id;
  readonly table: TableRef | null;
}

export const emptyState: JournalState = {
  seq: 0,
  head: null,
  entries: [],
  names: new Map(),
  layouts: new Map(),
  dropped: new Set(),
  reports: [],
  pins: [],
};

export function tableKey(ref: TableRef): TableKey {
  return `${ref.table} ${ref.schema}`;
}

/** The state after more entries. The chain is checked by whoever reads or writes entries. */
export function foldEntries(state: JournalState, more: readonly ChainedEntry[]): JournalState {
  const last = more.at(-1);
  if (last === undefined) return state;
  const entries = [...state.entries];
  const names = new Map(state.names);
  const layouts = new Map(state.layouts);
  const dropped = new Set(state.dropped);
  const place = (ref: TableRef, layout: Sha256Id | undefined): void => {
    if (layout === undefined) return;
    layouts.set(tableKey(ref), layout);
    dropped.delete(tableKey(ref));
  };
  const reports = [...state.reports];
  const pins = [...state.pins];
  const fresh = new Map<string, VersionEntry[]>();
  for (const { entry, table } of more) {
    entries.push(entry);
    switch (entry.op) {
      case 'init':
        break;
      case 'version': {
        const versions = fresh.get(entry.name) ?? [...(names.get(entry.name) ?? [])];
        versions.push(entry);
        fresh.set(entry.name, versions);
        names.set(entry.name, versions);
        for (const step of entry.through ?? []) place(step, step.layout);
        if (table !== null) place(table, entry.layout);
        break;
      }
      case 'layout':
        place(entry, entry.layout);
        break;
      case 'drop':
        layouts.delete(tableKey(entry));
        dropped.add(tableKey(entry));
        break;
      case 'report':
        reports.push(entry);
        break;
      case 'pin':
        pins.push(entry);
        break;
    }
  }
  return { seq: last.entry.seq, head: last.id, entries, names, layouts, dropped, reports, pins };
}
