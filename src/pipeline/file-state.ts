/**
 * Whether the files of a dataset are those that its last version was read from. Unchanged files are known by how they
 * look; others are hashed, so that a file which was only touched counts as unchanged.
 * @module
 */
import { stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import { type DerivationRecord, derivationRecord } from '../../schemas/records.ts';
import { recordId } from '../identity/canonical-json.ts';
import { sha256IdOf } from '../identity/ids.ts';
import { type KnownOutcome, knownOutcome } from '../lineage/realised.ts';
import type { VersionOrigin } from '../snapshots/same-rows.ts';
import { sameEnding, writtenFiles } from '../snapshots/source-paths.ts';
import { fileDigest } from '../store/file-digest.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { findInputFiles } from '../tables/read/input-files.ts';
import type { FileNode } from './pipeline.ts';

/** What the files come to, where the store knows that without reading them as a table; else why they must be read. */
export type FileState = {
  /** The files as they are; null where they were not looked at, as there is nothing to compare them with. */
  readonly files: readonly Digested[] | null;
} & (
  | { readonly state: 'known'; readonly read: KnownOutcome; readonly origin: VersionOrigin }
  | { readonly state: 'unread'; readonly reason: string }
);

/** A file and its digest. */
export interface Digested {
  readonly path: string;
  readonly sha256: Sha256Id;
}

/**
 * Looks at the files; writes nothing but, with `remember`, the digests that it found into the store's cache.
 * @throws HoldoutError `NOT_FOUND` for a file that is not there, `IO`
 */
export async function fileState(store: Store, node: FileNode, remember: boolean): Promise<FileState> {
  const state = await store.journal();
  const versions = (state.names.get(node.name) ?? []).filter(({ sources }) => sources.length > 0);
  const paths = (await findInputFiles(node.files)).map(({ path }) => path);
  if (versions.length === 0) return { state: 'unread', reason: 'it has no version yet', files: null };
  const files = await digestFiles(store, paths, remember);
  const digests = files.map(({ sha256 }) => sha256).join(' ');
  let sameBytes = false;
  for (const { derivation: id, sources } of versions.toReversed()) {
    const derivation = await store.getRecord(id, derivationRecord);
    if (fileDigests(derivation).join(' ') !== digests) continue;
    sameBytes = true;
    const wanted = readAlike(node, paths, sources) ? readAsAsked(derivation, id, node) : null;
    const read = wanted === null ? null : await knownOutcome(store, state, wanted);
    if (read === null) continue;
    const origin = { derivation: read.derivation, ...writtenFiles(store, node.files, paths) };
    return { state: 'known', read, origin, files };
  }
  if (sameBytes) return { state: 'unread', reason: 'its files are read in another way', files };
  return { state: 'unread', reason: await changeOf(store, versions.at(-1)!, files), files };
}

/** Whether names of files, which may say how they are read, say the same of both. */
function readAlike({ format }: FileNode, paths: readonly string[], sources: VersionEntry['sources']): boolean {
  return format !== undefined || paths.every((path, index) => sameEnding(path, sources[index]?.path ?? ''));
}

/** The id of the read step as the pipeline asks for it, from one that read the same bytes; null where they differ. */
function readAsAsked(derivation: DerivationRecord, id: Sha256Id, node: FileNode): Sha256Id | null {
  const { formats, inferred } = derivation.params as unknown as { formats: readonly string[]; inferred: boolean };
  if (node.format !== undefined && formats.some((format) => format !== node.format)) return null;
  if (node.infer) return inferred && node.schema === undefined ? id : null;
  const params = { formats, schema: node.schema ?? null, inferred: false };
  return recordId({ ...derivation, params: JSON.parse(JSON.stringify(params)) as DerivationRecord['params'] });
}

/** Digests of the files that a derivation reads. */
export function fileDigests({ inputs }: DerivationRecord): Sha256Id[] {
  return inputs.flatMap((input) => (input.kind === 'file' ? [input.sha256] : []));
}

async function digestFiles(store: Store, paths: readonly string[], remember: boolean): Promise<Digested[]> {
  const cache = await store.sourceCache();
  const files: Digested[] = [];
  for (const path of paths) {
    const known = await cache.known(path);
    const look = known === null && remember ? await cache.look(path) : null;
    const sha256 = known ?? (await hashFile(path));
    if (look !== null) await cache.remember(look, sha256);
    files.push({ path, sha256 });
  }
  if (remember) await cache.save();
  return files;
}

async function hashFile(path: string): Promise<Sha256Id> {
  // What is no plain file might never end.
  return (await stat(path)).isFile() ? fileDigest(path) : noBytes;
}

const noBytes = sha256IdOf(new Uint8Array());

async function changeOf(store: Store, last: VersionEntry, files: readonly Digested[]): Promise<string> {
  const before = fileDigests(await store.getRecord(last.derivation, derivationRecord));
  if (before.length !== files.length) return `it has ${files.length} files now, ${before.length} before`;
  const changed = files.filter(({ sha256 }, index) => sha256 !== before[index]).map(({ path }) => path);
  const [first = ''] = changed;
  const shown = relative(process.cwd(), resolve(first));
  return changed.length === 1 ? `${shown} has changed` : `${shown} and ${changed.length - 1} more have changed`;
}
