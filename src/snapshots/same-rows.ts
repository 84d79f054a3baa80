/**
 * How a version came, as its entry tells it; and entries that change nothing else: the rows of the version before, made
 * of something else or in another way. Nothing is run or read for them.
 * @module
 */
import { basename, isAbsolute, resolve } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import { type BlobRecord, type TableRef, blobRecord, realisationRecord } from '../../schemas/records.ts';
import { type JournalState, type VersionEntry, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';

/** What of an entry says how its version came. */
export interface VersionOrigin extends Pick<VersionEntry, 'derivation' | 'reads' | 'folder' | 'given'> {
  readonly through?: readonly { readonly derivation: Sha256Id }[] | undefined;
  readonly sources: readonly { readonly path: string }[];
}

/** A step whose outcome is known. */
export interface KnownStep {
  readonly derivation: Sha256Id;
  readonly realisation: Sha256Id;
  readonly output: TableRef;
  /** Layout file of the output; null where its rows were dropped. */
  readonly layout: Sha256Id | null;
}

/** Derivations of the steps of a version, its own the last. */
export function recipeOf({ through = [], derivation }: Pick<VersionOrigin, 'through' | 'derivation'>): Sha256Id[] {
  return [...through.map((step) => step.derivation), derivation];
}

/**
 * Whether both came by the same steps, from the same versions or files. Where something lies outside the project is each
 * checkout's own affair: two that share a store would else journal one origin after the other without end.
 */
export function sameOrigin(a: VersionOrigin, b: VersionOrigin): boolean {
  const pathsOf = ({ sources }: VersionOrigin): string[] => sources.map(({ path }) => path);
  const [one, other] = [a.folder ?? '', b.folder ?? ''];
  return (
    JSON.stringify([recipeOf(a), a.reads ?? []]) === JSON.stringify([recipeOf(b), b.reads ?? []]) &&
    (one === other || isAbsolute(one) || isAbsolute(other)) &&
    samePaths(pathsOf(a), pathsOf(b)) &&
    samePaths(a.given ?? [], b.given ?? [])
  );
}

/** Whether paths are the same, those outside the project by their last part. */
function samePaths(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((path, index) => samePath(path, b[index]!));
}

function samePath(a: string, b: string): boolean {
  return a === b || ((isAbsolute(a) || isAbsolute(b)) && basename(a) === basename(b));
}

/**
 * Journals the content of `before` as the next version of its name, with another origin.
 * @param steps at least one: those of the origin, in their order
 * @returns null where `before` is no longer the newest version: somebody else was quicker
 * @throws HoldoutError as the store does
 */
export async function journalSameRows(
  store: Store,
  before: VersionEntry,
  { origin, steps }: { readonly origin: VersionOrigin; readonly steps: readonly KnownStep[] },
  now: Date,
): Promise<VersionEntry | null> {
  const last = steps.at(-1);
  if (last === undefined) throw new RangeError('"steps" expected at least one step');
  const { realisation, sources } = await namedAs(store, last.realisation, origin.sources);
  const { reads, folder, given } = origin;
  const { name, snapshot } = before;
  const entry = await store.commit((state) => {
    const versions = state.names.get(name) ?? [];
    if (versions.at(-1)?.seq !== before.seq) return null;
    const through = steps.slice(0, -1).map((step) => {
      const { table, schema } = step.output;
      return { derivation: step.derivation, realisation: step.realisation, table, schema, ...layoutNow(state, step) };
    });
    return {
      op: 'version',
      name,
      version: versions.length + 1,
      snapshot,
      derivation: last.derivation,
      realisation,
      ...(through.length === 0 ? {} : { through }),
      ...(reads === undefined ? {} : { reads }),
      ...(folder === undefined ? {} : { folder }),
      ...layoutNow(state, last),
      sources,
      ...(given === undefined ? {} : { given }),
    };
  }, now);
  return entry?.op === 'version' ? entry : null;
}

/** What was dropped stays dropped: an entry that names a layout would bring it back. */
function layoutNow(state: JournalState, { output, layout }: KnownStep): { readonly layout?: Sha256Id } {
  const key = tableKey(output);
  if (state.dropped.has(key)) return {};
  const current = state.layouts.get(key) ?? layout;
  return current === null ? {} : { layout: current };
}

/**
 * What was read, from files where they are now, with their blobs. A file that has another name now gets a record of that
 * name, and so does what was read.
 * @throws HoldoutError as the store does
 */
export async function namedAs(
  store: Store,
  read: Sha256Id,
  sources: VersionOrigin['sources'],
): Promise<{ readonly realisation: Sha256Id; readonly sources: VersionEntry['sources'] }> {
  const record = await store.getRecord(read, realisationRecord);
  const blobs: Sha256Id[] = [];
  for (const [index, id] of record.blobs.entries()) {
    const blob: BlobRecord = await store.getRecord(id, blobRecord);
    const name = basename(resolve(store.projectRoot, sources[index]?.path ?? blob.name));
    blobs.push(blob.name === name ? id : await store.putRecord({ ...blob, name }));
  }
  const same = blobs.every((id, index) => id === record.blobs[index]);
  return {
    realisation: same ? read : await store.putRecord({ ...record, blobs }),
    sources: sources.map(({ path }, index) => ({ path, blob: blobs[index]! })),
  };
}
