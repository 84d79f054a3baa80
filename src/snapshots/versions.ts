/**
 * Names and versions: which version a text means, what a store holds, what a version is.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { realisationRecord, snapshotRecord } from '../../schemas/records.ts';
import type { RealisationRecord, SnapshotRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import type { JournalState, VersionEntry } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';

const prefixMin = 4;

/**
 * The version that a text names: `name` (the newest), `name@3` (the store's count), `name@1f3a` or `1f3a` (the
 * beginning of a table's or snapshot's id).
 * @throws HoldoutError `NOT_FOUND`; `USAGE` when several fit
 */
export function resolveVersion(state: JournalState, text: string): VersionEntry {
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  const versions = state.names.get(name);
  if (versions === undefined) {
    if (at < 0 && isPrefix(text)) return byPrefix(state, [...state.names.values()].flat(), text, text);
    throw new HoldoutError('NOT_FOUND', `no dataset "${name}" in the store`, {
      hint: '"holdout ls" lists the datasets.',
    });
  }
  if (at < 0) return versions.at(-1)!;
  const wanted = text.slice(at + 1);
  const counted = /^[1-9][0-9]*$/.test(wanted) ? versions.find(({ version }) => version === Number(wanted)) : undefined;
  if (counted !== undefined) return counted;
  if (isPrefix(wanted)) return byPrefix(state, versions, wanted, text);
  throw new HoldoutError('NOT_FOUND', `"${name}" has no version "${wanted}"`, {
    hint: `Its versions are 1 to ${versions.length}; "holdout log ${name}" lists them.`,
  });
}

function isPrefix(text: string): boolean {
  return hexOf(text).length >= prefixMin && /^[0-9a-f]{4,64}$/.test(hexOf(text));
}

function hexOf(text: string): string {
  return text.replace(/^(?:sha256|holdout-table-v1):/, '');
}

function byPrefix(state: JournalState, versions: readonly VersionEntry[], prefix: string, text: string): VersionEntry {
  const hex = hexOf(prefix);
  const layouts = new Set<Sha256Id>();
  for (const [key, layout] of state.layouts) if (hexOf(key).startsWith(hex)) layouts.add(layout);
  // Versions of one content may name several layouts of it, or none.
  const newest = new Map<Sha256Id, Sha256Id>();
  for (const { snapshot, layout } of versions) if (layout !== undefined) newest.set(snapshot, layout);
  const layoutOf = ({ snapshot }: VersionEntry): Sha256Id | undefined => newest.get(snapshot);
  const found = versions.filter((entry) => {
    const layout = layoutOf(entry);
    return hexOf(entry.snapshot).startsWith(hex) || (layout !== undefined && layouts.has(layout));
  });
  const [first] = found;
  if (first === undefined)
    throw new HoldoutError('NOT_FOUND', `no version in the store has an id that begins with ${text}`);
  if (new Set(found.map(layoutOf)).size > 1) {
    const names = found.map(({ name, version }) => `${name}@${version}`).join(', ');
    throw new HoldoutError('USAGE', `${text} fits several versions: ${names}`, { hint: 'Give more digits.' });
  }
  return found.at(-1)!;
}

/** A name and its newest version. */
export interface NamedVersion {
  readonly entry: VersionEntry;
  readonly snapshot: SnapshotRecord;
}

/** All names, sorted, each with its newest version. */
export async function listNames(store: Store): Promise<readonly NamedVersion[]> {
  const { names } = await store.journal();
  const listed: NamedVersion[] = [];
  for (const name of [...names.keys()].sort()) {
    const entry = names.get(name)!.at(-1)!;
    listed.push({ entry, snapshot: await store.getRecord(entry.snapshot, snapshotRecord) });
  }
  return listed;
}

/**
 * Versions, newest first: of one name, or of all.
 * @throws HoldoutError `NOT_FOUND` for a name that the store does not have
 */
export async function logOf(store: Store, name?: string): Promise<readonly NamedVersion[]> {
  const { names } = await store.journal();
  const entries = name === undefined ? [...names.values()].flat() : names.get(name);
  if (entries === undefined) throw new HoldoutError('NOT_FOUND', `no dataset "${name}" in the store`);
  const log: NamedVersion[] = [];
  for (const entry of entries.toSorted((a, b) => b.seq - a.seq)) {
    log.push({ entry, snapshot: await store.getRecord(entry.snapshot, snapshotRecord) });
  }
  return log;
}

/** A version with the records that say what it is and where it came from. */
export interface VersionDetails extends NamedVersion {
  readonly schema: TableSchema;
  readonly realisation: RealisationRecord;
}

/** The records of a version. @throws HoldoutError `STORE_CORRUPT`, `NOT_FOUND` */
export async function showVersion(store: Store, entry: VersionEntry): Promise<VersionDetails> {
  const snapshot = await store.getRecord(entry.snapshot, snapshotRecord);
  const schema: TableSchema = await store.getRecord(snapshot.schema, tableSchema);
  return { entry, snapshot, schema, realisation: await store.getRecord(entry.realisation, realisationRecord) };
}
