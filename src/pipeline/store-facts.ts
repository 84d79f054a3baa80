/**
 * What a plan asks, answered from a store.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { DerivationRecord, FieldRoles } from '../../schemas/records.ts';
import { derivationRecord, snapshotRecord } from '../../schemas/records.ts';
import { type TableSchema, tableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { recordId } from '../identity/canonical-json.ts';
import { bindStep } from '../lineage/bind-step.ts';
import { codeFolder } from '../lineage/code-folder.ts';
import { knownOutcome } from '../lineage/realised.ts';
import { assertReadable } from '../lineage/rebuild.ts';
import type { Transform } from '../lineage/transform.ts';
import { writtenFolder } from '../snapshots/source-paths.ts';
import { resolveVersion } from '../snapshots/versions.ts';
import type { Store } from '../store/store.ts';
import { fileState } from './file-state.ts';
import type { PlanFacts, StoredVersion } from './plan-run.ts';

/** What the answers hang on, beside the store. */
export interface FactsOptions {
  readonly transforms: readonly Transform[];
  /** Roles of the columns of an eval set whose file names none. */
  readonly recogniseFields: (schema: TableSchema) => FieldRoles;
  /** Folder of the pipeline file. */
  readonly folder: string;
  /** Whether digests of files may be kept in the store's cache; a dry run keeps nothing. */
  readonly remember: boolean;
}

/** The facts of a store, as it is at each question. */
export function storeFacts(
  store: Store,
  { transforms, recogniseFields, folder: beside, remember }: FactsOptions,
): PlanFacts {
  const version = async (text: string): Promise<StoredVersion | null> => storedVersion(store, text);
  const resolve = async (name: string): Promise<Sha256Id> => (await versionMeant({ version }, name)).entry.snapshot;
  const bound = new Map<Sha256Id, DerivationRecord>();
  return {
    version,
    files: (node) => fileState(store, node, remember),
    async fields(node, schema) {
      if (node.role !== 'eval') return {};
      const types: TableSchema = await store.getRecord(schema, tableSchema);
      return recogniseFields(types);
    },
    async derivation(step, input, folder) {
      const { derivation } = await bindStep({ store, resolve, folder }, step, input);
      const id = recordId(derivation);
      bound.set(id, derivation);
      return id;
    },
    asked: async (derivation) => bound.get(derivation) ?? storedDerivation(store, derivation),
    folder: (steps) => codeFolder(steps, [beside, store.projectRoot]),
    realised: async (derivation) => knownOutcome(store, await store.journal(), derivation),
    async entryAt(seq) {
      const entry = (await store.journal()).entries[seq - 1];
      return entry?.op === 'version' ? entry : null;
    },
    readable: (entry) => assertReadable(store, transforms, entry),
    writtenFolder: (path) => writtenFolder(store, path),
  };
}

/** Null also for a record that is no derivation: a lock can be edited, and can come from another store. */
async function storedDerivation(store: Store, id: Sha256Id): Promise<DerivationRecord | null> {
  if ((await store.checkFile('record', id)) === 'missing') return null;
  const checked = derivationRecord.safeParse(await store.readRecord(id));
  return checked.success ? checked.data : null;
}

/** The version that NAME or NAME@VERSION means. @throws HoldoutError NOT_FOUND */
export async function versionMeant({ version }: Pick<PlanFacts, 'version'>, text: string): Promise<StoredVersion> {
  const found = await version(text);
  if (found === null) throw new HoldoutError('NOT_FOUND', `no dataset "${text}" in the store`);
  return found;
}

/** The version that NAME or NAME@VERSION means in a store, or null. */
export async function storedVersion(store: Store, text: string): Promise<StoredVersion | null> {
  try {
    const entry = resolveVersion(await store.journal(), text);
    return { entry, snapshot: await store.getRecord(entry.snapshot, snapshotRecord) };
  } catch (error) {
    if (error instanceof HoldoutError && (error.code === 'NOT_FOUND' || error.code === 'USAGE')) return null;
    throw error;
  }
}
