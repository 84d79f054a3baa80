/**
 * `add`: reads files, stores what is new of them, and makes them the next version of a name. The journal entry comes
 * last, so that a crash at any instant leaves the version there or not there. Equal content makes no version, unless
 * recipes count.
 * @module
 */
import { datasetName } from '../../schemas/ids.ts';
import type { SetRoot, Sha256Id, TableId } from '../../schemas/ids.ts';
import { derivationRecord, realisationRecord, snapshotRecord } from '../../schemas/records.ts';
import type { FieldRoles, Role, SnapshotRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { recordId } from '../identity/canonical-json.ts';
import { tableKey } from '../store/journal-state.ts';
import type { JournalState, VersionEntry } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { itemsRootOf } from '../tables/items-root.ts';
import { findInputFiles } from '../tables/read/input-files.ts';
import type { SourceFormat } from '../tables/read/read-table-types.ts';
import { openTable } from '../tables/table-reader.ts';
import { openStoreEngine } from './store-engine.ts';
import { readAndStore } from './read-and-store.ts';
import type { StoredRead } from './read-and-store.ts';
import { namedAs, sameOrigin } from './same-rows.ts';
import { sameEnding, writtenFiles } from './source-paths.ts';
import { layoutBytes } from './stored-size.ts';

/** What is asked for. */
export interface AddOptions {
  readonly role?: Role | undefined;
  /** Columns by role; without it those of the last version, or (for an eval set) those recognised. */
  readonly fields?: FieldRoles | undefined;
  readonly schema?: TableSchema | undefined;
  readonly infer?: boolean | undefined;
  /** Keep the bytes of files whose rows do not give them back. */
  readonly raw?: boolean | undefined;
  readonly format?: SourceFormat | undefined;
  /** Reads as if the name had no version yet: schema and fields hang on the files and these options alone. */
  readonly fresh?: boolean | undefined;
  /** Whether equal content that was read from other files, or in another way, makes a version, too. */
  readonly recipeCounts?: boolean | undefined;
}

/** What adding stands in. */
export interface AddContext {
  readonly now: Date;
  readonly holdoutVersion: string;
  readonly threads: number;
  readonly memoryLimitBytes?: number | undefined;
  /** Recognises the columns' roles of an eval set. */
  readonly recogniseFields: (schema: TableSchema) => FieldRoles;
  /** Refuses roles that do not fit the schema. */
  readonly checkFields?: ((schema: TableSchema, fields: FieldRoles) => void) | undefined;
  readonly standardInput?: NodeJS.ReadableStream | undefined;
  readonly onProgress?: ((bytesDone: number, bytesTotal: number) => void) | undefined;
  /** Stops with `INTERRUPTED` when aborted; the version is then not there. */
  readonly signal?: AbortSignal | undefined;
}

/** The version that the name has now. */
export interface AddResult {
  readonly name: string;
  readonly version: number;
  readonly snapshot: Sha256Id;
  readonly table: TableId;
  readonly schema: Sha256Id;
  readonly setRoot: SetRoot;
  readonly itemsRoot: SetRoot | null;
  readonly rows: number;
  /** Bytes of the files as they were given. */
  readonly logicalBytes: number;
  /** Bytes of everything that this table is read from. */
  readonly storedBytes: number;
  /** Bytes that this `add` has added on disk. */
  readonly newBytes: number;
  /** False when the newest version had this content already. */
  readonly created: boolean;
  /** Whether files were read; false when all were known to be unchanged. */
  readonly read: boolean;
  /** Whether the version names other files, of the same content. */
  readonly moved: boolean;
  readonly notes: readonly string[];
}

/**
 * Adds files as the next version of a name.
 * @throws HoldoutError `USAGE` for a bad name, `CONFLICT` for another role, and as reading and storing do
 */
export async function addDataset(
  store: Store,
  name: string,
  args: readonly string[],
  options: AddOptions,
  context: AddContext,
): Promise<AddResult> {
  const { commit } = await readDataset(store, name, args, options, context);
  return commit();
}

/** Files that were read for a dataset; no version yet. */
export interface ReadDataset {
  /** What reading them was asked. */
  readonly derivation: Sha256Id;
  /** Makes them the next version of the name. */
  readonly commit: () => Promise<AddResult>;
}

/**
 * Reads and stores files for `addDataset`; nothing refers to what it stored before it is committed.
 * @throws HoldoutError as `addDataset` does
 */
export async function readDataset(
  store: Store,
  name: string,
  args: readonly string[],
  options: AddOptions,
  context: AddContext,
): Promise<ReadDataset> {
  const named = datasetName.safeParse(name);
  if (!named.success) {
    throw new HoldoutError('USAGE', `"${name}" cannot name a dataset: ${named.error.issues[0]?.message ?? 'bad name'}`);
  }
  const state = await store.journal();
  const last = state.names.get(name)?.at(-1);
  const before = last === undefined ? null : await store.getRecord(last.snapshot, snapshotRecord);
  const role = options.role ?? before?.role ?? 'none';
  if (before !== null && role !== before.role) {
    throw new HoldoutError('CONFLICT', `"${name}" is a dataset with role ${before.role}, not ${role}`, {
      hint: 'Add the files under another name.',
    });
  }
  const content =
    (await knownContent(store, state, name, args, options)) ??
    (await readAndStore(
      store,
      state,
      name,
      args,
      { ...options, previousSchema: options.fresh === true ? undefined : before?.schema },
      context,
    ));
  const snapshot = await snapshotOf(store, content, role, before, options, context);
  const { derivation } = content;
  return { derivation, commit: () => commitVersion(store, name, args, content, snapshot, options, context) };
}

/** What an earlier version read from these files, when none of them has changed since and they are read alike. */
async function knownContent(
  store: Store,
  state: JournalState,
  name: string,
  args: readonly string[],
  options: AddOptions,
): Promise<StoredRead | null> {
  const versions = (state.names.get(name) ?? []).filter(({ sources }) => sources.length > 0);
  if (versions.length === 0 || args.includes('-') || options.format !== undefined || options.raw === true) return null;
  const files = await findInputFiles(args);
  const cache = await store.sourceCache();
  const digests: Sha256Id[] = [];
  for (const { path } of files) {
    const known = await cache.known(path);
    if (known === null) return null;
    digests.push(known);
  }
  for (const entry of versions.toReversed()) {
    const content = await contentOf(store, state, entry, options);
    if (content === null || content.fileDigests.join() !== digests.join()) continue;
    const sources = files.map(({ path }) => ({ path }));
    if (!sources.every(({ path }, index) => sameEnding(path, entry.sources[index]!.path))) continue;
    return { ...content, ...(await namedAs(store, content.realisation, sources)) };
  }
  return null;
}

async function contentOf(
  store: Store,
  state: JournalState,
  entry: VersionEntry,
  options: AddOptions,
): Promise<(Omit<StoredRead, 'sources'> & { readonly fileDigests: readonly string[] }) | null> {
  const derivation = await store.getRecord(entry.derivation, derivationRecord);
  const { output } = await store.getRecord(entry.realisation, realisationRecord);
  const params = derivation.params as { schema?: unknown; inferred?: unknown } | null;
  const declares = options.schema !== undefined || options.infer === true;
  if (options.fresh === true && !declares && params?.schema !== null) return null;
  if ((options.infer ?? false) !== (params?.inferred === true)) return null;
  if (options.schema !== undefined && recordId(options.schema) !== output.schema) return null;
  const files = derivation.inputs.flatMap((input) => (input.kind === 'file' ? [input] : []));
  if (files.length === 0) return null;
  const layout = state.layouts.get(tableKey(output)) ?? entry.layout;
  if (layout === undefined) return null;
  return {
    table: output,
    layout,
    derivation: entry.derivation,
    realisation: entry.realisation,
    logicalBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    newBytes: 0,
    notes: [],
    read: false,
    fileDigests: files.map(({ sha256 }) => sha256),
  };
}

async function snapshotOf(
  store: Store,
  content: StoredRead,
  role: Role,
  before: SnapshotRecord | null,
  options: AddOptions,
  context: AddContext,
): Promise<SnapshotRecord> {
  const ref = { table: content.table.table, schema: content.table.schema };
  const schema: TableSchema = await store.getRecord(ref.schema, tableSchema);
  const recognised = role === 'eval' ? context.recogniseFields(schema) : {};
  const kept = before !== null && options.fresh !== true && fits(schema, before.fields) ? before.fields : null;
  const fields = options.fields ?? kept ?? recognised;
  if (role === 'eval' || options.fields !== undefined) context.checkFields?.(schema, fields);
  const same =
    before !== null &&
    before.table === ref.table &&
    before.schema === ref.schema &&
    recordId(before.fields) === recordId(fields);
  let itemsRoot = same ? before.itemsRoot : null;
  if (!same && role === 'eval') {
    const engine = await openStoreEngine(store, context);
    try {
      const reader = await openTable(store, engine, ref, content.layout);
      itemsRoot = await itemsRootOf(engine, reader, fields);
    } finally {
      await engine.close();
    }
  }
  return { type: 'holdout/snapshot@1', ...content.table, role, fields, itemsRoot };
}

function fits(schema: TableSchema, fields: FieldRoles): boolean {
  const names = new Set(schema.columns.map(({ name }) => name));
  const paths = Object.values(fields).flat();
  return paths.length > 0 && paths.every((path) => names.has(path) || names.has(path.split('.', 1)[0]!));
}

async function commitVersion(
  store: Store,
  name: string,
  args: readonly string[],
  content: StoredRead,
  snapshot: SnapshotRecord,
  { recipeCounts }: AddOptions,
  context: AddContext,
): Promise<AddResult> {
  const id = await store.putRecord(snapshot);
  if (context.signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
  const { derivation, realisation, layout } = content;
  const paths = content.sources.map(({ path }) => path);
  const written = writtenFiles(store, args, paths);
  const origin = {
    derivation,
    ...written,
    sources: written.sources.map(({ path }, index) => ({ path, blob: content.sources[index]!.blob })),
  };
  let version = 0;
  let moved = false;
  const entry = await store.commit((state) => {
    const versions = state.names.get(name) ?? [];
    const newest = versions.at(-1);
    if (newest?.snapshot === id && (recipeCounts !== true || sameOrigin(newest, origin))) {
      version = newest.version;
      moved = newest.sources.some(({ path }, index) => path !== origin.sources[index]?.path);
      return null;
    }
    version = versions.length + 1;
    return { op: 'version', name, version, snapshot: id, realisation, layout, ...origin };
  }, context.now);
  const { table, schema, setRoot, itemsRoot, rows } = snapshot;
  return {
    name,
    version,
    snapshot: id,
    table,
    schema,
    setRoot,
    itemsRoot,
    rows,
    logicalBytes: content.logicalBytes,
    storedBytes: await layoutBytes(store, layout),
    newBytes: content.newBytes,
    created: entry !== null,
    read: content.read,
    moved,
    notes: content.notes,
  };
}
