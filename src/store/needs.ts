/**
 * What an entry of the journal needs to be whole: the records that it leads to, and the files that they name.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { BlobRecord, JournalEntry, TableRef } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { digestBytesOf, sha256IdOf } from '../identity/ids.ts';
import type { ChunkIndex } from './chunk-index.ts';
import { namedBy } from './journal-references.ts';
import type { StoredRef } from './journal-references.ts';
import { tableKey } from './journal-state.ts';
import type { JournalState } from './journal-state.ts';
import { placesOf } from './quarantine.ts';
import { readIfThere } from './read-if-there.ts';
import { readRecord } from './records.ts';
import { filePath } from './store-paths.ts';
import type { StoredKind } from './store-paths.ts';
import type { StoredRecord } from './stored-record.ts';

/** A stored thing that is needed; `chunk` stands for one that no readable pack holds. */
export interface Need {
  readonly kind: StoredKind | 'chunk';
  readonly id: Sha256Id;
  /** Size that the file must have, where a record says it. */
  readonly bytes: number | null;
}

/** Reads the ids of the part records out of a layout file; throws when the file is no layout. */
export type LayoutParts = (layout: Uint8Array) => Iterable<Sha256Id>;

/** What following the needs takes. */
export interface NeedSources {
  readonly root: string;
  readonly state: Pick<JournalState, 'layouts' | 'dropped'>;
  readonly chunks: ChunkIndex;
  readonly partsOf: LayoutParts;
}

/**
 * All that an entry needs, each once. What is damaged or missing is listed, and not followed further.
 * @throws HoldoutError `STORE_CORRUPT` when a layout matches its id and is none; `IO`
 */
export async function neededBy(sources: NeedSources, entry: JournalEntry): Promise<readonly Need[]> {
  if (entry.op === 'init') return [];
  const named = namedBy(entry).filter(({ kind }) => kind !== 'layout');
  const layouts = (await currentLayouts(sources, entry)).map((id) => ({ kind: 'layout', id }) as const);
  return follow(sources, [...named, ...layouts]);
}

/** All that these records need, and they themselves. @throws HoldoutError as `neededBy` */
export function neededByRecords(sources: NeedSources, records: readonly Sha256Id[]): Promise<readonly Need[]> {
  return follow(
    sources,
    records.map((id) => ({ kind: 'record', id })),
  );
}

async function follow(sources: NeedSources, from: readonly StoredRef[]): Promise<readonly Need[]> {
  const needs = new Map<string, Need>();
  const open: Need[] = [];
  const want = (kind: Need['kind'], id: Sha256Id, bytes: number | null = null): void => {
    const key = `${kind} ${id}`;
    if (needs.has(key)) return;
    const need = { kind, id, bytes };
    needs.set(key, need);
    open.push(need);
  };
  for (const { kind, id } of from) want(kind, id);
  for (let need = open.pop(); need !== undefined; need = open.pop()) {
    if (need.kind === 'record') {
      const record = await unlessBroken(readRecord(sources.root, need.id));
      if (record !== null) followRecord(record, want, sources.chunks);
    } else if (need.kind === 'layout') {
      for (const part of await partsOfLayout(sources, need.id)) want('record', part);
    }
  }
  return [...needs.values()];
}

// A table keeps one layout: a version is read through the one that the journal named last; a dropped table has none.
async function currentLayouts({ root, state }: NeedSources, entry: JournalEntry): Promise<readonly Sha256Id[]> {
  const current = (ref: TableRef, named: Sha256Id | undefined): readonly Sha256Id[] => {
    const layout = state.layouts.get(tableKey(ref)) ?? named;
    return layout === undefined || state.dropped.has(tableKey(ref)) ? [] : [layout];
  };
  if (entry.op === 'layout') return current(entry, entry.layout);
  if (entry.op !== 'version') return [];
  const passed = (entry.through ?? []).flatMap((step) => current(step, step.layout));
  const snapshot = await unlessBroken(readRecord(root, entry.snapshot));
  if (snapshot === null || !('type' in snapshot) || snapshot.type !== 'holdout/snapshot@1') {
    return entry.layout === undefined ? passed : [...passed, entry.layout];
  }
  return [...passed, ...current(snapshot, entry.layout)];
}

function followRecord(
  record: StoredRecord,
  want: (kind: Need['kind'], id: Sha256Id, bytes?: number) => void,
  chunks: ChunkIndex,
): void {
  // A leak report may speak of plain files, which the store need not have.
  if (!('type' in record)) return;
  switch (record.type) {
    case 'holdout/snapshot@1':
      want('record', record.schema);
      break;
    case 'holdout/derivation@1':
      for (const input of record.inputs) {
        if (input.kind === 'table') want('record', input.schema);
        else if (input.kind === 'record') want('record', input.record);
      }
      break;
    case 'holdout/realisation@1':
      want('record', record.derivation);
      want('record', record.output.schema);
      for (const blob of record.blobs) want('record', blob);
      for (const found of record.records ?? []) want('record', found);
      if (record.origins?.startsWith('sha256:') === true) want('origins', record.origins as Sha256Id);
      break;
    case 'holdout/blob@1':
      followBlob(record, want, chunks);
      break;
    case 'holdout/part@1':
      want('record', record.schema);
      want('part', record.parquet.sha256, record.parquet.bytes);
      want('digests', record.digests.sha256, record.digests.bytes);
      break;
    case 'holdout/columns@1':
      want('record', record.schema);
      want('part', record.parquet.sha256, record.parquet.bytes);
      break;
    case 'holdout/digests@1':
      want('digests', record.digests.sha256, record.digests.bytes);
      break;
    case 'holdout/schema@1':
    case 'holdout/pin@1':
      break;
  }
}

function followBlob(record: BlobRecord, want: (kind: Need['kind'], id: Sha256Id) => void, chunks: ChunkIndex): void {
  if (record.content.kind === 'lines') want('record', record.content.schema);
  if (record.content.kind !== 'chunks') return;
  for (const [id] of record.content.chunks) {
    const place = chunks.find(digestBytesOf(id));
    if (place === null) want('chunk', id);
    else want('pack', place.pack);
  }
}

async function partsOfLayout({ root, partsOf }: NeedSources, id: Sha256Id): Promise<readonly Sha256Id[]> {
  const [quarantined] = await placesOf(root, 'layout', id);
  const kept = await readIfThere(filePath(root, 'layout', id));
  const bytes = kept ?? (quarantined === undefined ? null : await readIfThere(quarantined));
  if (bytes === null || sha256IdOf(bytes) !== id) return [];
  try {
    return [...partsOf(bytes)];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HoldoutError('STORE_CORRUPT', `the layout ${id} cannot be understood: ${reason}`, { cause });
  }
}

async function unlessBroken<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HoldoutError && error.code === 'STORE_CORRUPT') return null;
    throw error;
  }
}
