/**
 * Opens the sets that a check is about, files and snapshots alike, in one engine.
 * @module
 */
import { type FieldRoles, snapshotRecord } from '../schemas/records.ts';
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import { type OpenSet, openFileSet } from '../src/files.ts';
import { checkFields, recogniseFields } from '../src/leakage/fields.ts';
import { oddEvalNotes } from '../src/leakage/odd-evals.ts';
import { itemsRootOf } from '../src/tables/items-root.ts';
import { type PreparedEvals, prepareEvals } from '../src/leakage/prepare.ts';
import type { NamedEval, NamedTable } from '../src/leakage/types.ts';
import { traceRows } from '../src/lineage/trace.ts';
import type { VersionEntry } from '../src/store/journal-state.ts';
import type { Store } from '../src/store/store.ts';
import type { ReadOptions, ReadTable } from '../src/tables/read/read-table-types.ts';
import type { TableReader } from '../src/tables/table-reader.ts';
import type { CliContext } from './context.ts';
import { type NamedInput, nameInput, readFileSet } from './inputs.ts';
import { formatFields } from './parse-options.ts';
import { entryName, openVersion } from './snapshots.ts';

/** What is to be checked, as given. */
export interface CheckRequest {
  readonly trains: readonly string[];
  readonly evals: readonly string[];
  /** All training snapshots of the store. */
  readonly all: boolean;
  readonly fields: FieldRoles | undefined;
  /** How the files are read: all of them alike. */
  readonly reading: Pick<ReadOptions, 'format' | 'schema' | 'infer'>;
}

/** The sets, open. */
export interface CheckSets {
  readonly engine: Engine;
  readonly trains: readonly NamedTable[];
  readonly evals: PreparedEvals;
  /** Whether a set is a snapshot of the store. */
  readonly hasSnapshot: boolean;
  /** What a person should know about how the sets were read. */
  readonly remarks: readonly string[];
}

type Prepared =
  | { readonly kind: 'files'; readonly name: string; readonly table: ReadTable }
  | { readonly kind: 'snapshot'; readonly name: string; readonly store: Store; readonly entry: VersionEntry };

/**
 * Reads all files and opens every set; the eval sets come first, and are indexed while the training files are read.
 * @throws HoldoutError as reading and the store do.
 */
export async function openCheckSets(
  context: CliContext,
  store: Store | null,
  request: CheckRequest,
): Promise<CheckSets> {
  const workDirectory = await context.scratchBeside(store);
  const inputs = {
    trains: await nameAll(context, store, request.trains),
    evals: await nameAll(context, store, request.evals),
  };
  const everything = request.all ? await allTraining(store) : [];
  const prepare = (input: NamedInput): Promise<Prepared> =>
    prepareSet(context, input, { workDirectory, ...request.reading });
  const openEngine = (sets: readonly Prepared[]): Promise<Engine> =>
    context.openEngine(store, { readPaths: pathsOf(sets), writeDirectories: [workDirectory] });

  const evals: Prepared[] = [];
  for (const input of inputs.evals) evals.push(await prepare(input));
  refuseTwice(evals, 'eval sets');
  const evalOpener = new SetOpener(context, await openEngine(evals), workDirectory, request.fields);
  const evalSets: NamedEval[] = [];
  for (const set of evals) evalSets.push(await evalOpener.openEval(set));
  const remarks = evalOpener.finish(evals.map((set) => set.name));

  const preparing = prepareEvals(evalSets);
  // Its failure is met below; until then it is nobody's.
  preparing.catch(() => undefined);
  const trains: Prepared[] = [];
  for (const input of [...inputs.trains, ...everything]) trains.push(await prepare(input));
  refuseTwice(trains, 'training sets');
  const engine = await openEngine(trains);
  const trainOpener = new SetOpener(context, engine, workDirectory, undefined);
  const trainSets: NamedTable[] = [];
  for (const set of trains) trainSets.push(await trainOpener.open(set));
  const hasSnapshot = [...evals, ...trains].some((set) => set.kind === 'snapshot');
  const roles = evals.map(async (set) => {
    return set.kind === 'files' ? null : (await set.store.getRecord(set.entry.snapshot, snapshotRecord)).role;
  });
  const known = await Promise.all(roles);
  const odd = oddEvalNotes(
    trainSets,
    evalSets.map(({ name, table }, index) => ({ name, table, role: known[index] ?? null })),
  );
  const notes = [...remarks, ...odd.map((note) => `note: ${note}`)];
  return { engine, trains: trainSets, evals: await preparing, hasSnapshot, remarks: notes };
}

function pathsOf(sets: readonly Prepared[]): string[] {
  return sets.flatMap((set) => (set.kind === 'files' ? set.table.bodies.map((body) => body.path) : []));
}

async function nameAll(context: CliContext, store: Store | null, given: readonly string[]): Promise<NamedInput[]> {
  const inputs: NamedInput[] = [];
  for (const argument of given) inputs.push(await nameInput(context, store, argument));
  return inputs;
}

/** Every version of every training dataset, each table once. */
async function allTraining(store: Store | null): Promise<NamedInput[]> {
  if (store === null) {
    throw new HoldoutError('STORE_UNUSABLE', '--all needs a store, and there is none here', {
      hint: '`holdout init` makes one here; `holdout add NAME FILES… --role train` adds training data to it',
    });
  }
  const inputs: NamedInput[] = [];
  const seen = new Set<string>();
  for (const entry of [...(await store.journal()).names.values()].flat()) {
    const { role, table, schema } = await store.getRecord(entry.snapshot, snapshotRecord);
    if (role !== 'train' || seen.has(`${table} ${schema}`)) continue;
    seen.add(`${table} ${schema}`);
    inputs.push({ kind: 'snapshot', argument: entryName(entry), store, entry });
  }
  if (inputs.length === 0) {
    throw new HoldoutError('NOT_FOUND', 'the store has no training snapshot', {
      hint: '`holdout add NAME FILES… --role train` makes one',
    });
  }
  return inputs;
}

async function prepareSet(
  context: CliContext,
  input: NamedInput,
  options: CheckRequest['reading'] & Pick<ReadOptions, 'workDirectory'>,
): Promise<Prepared> {
  if (input.kind === 'snapshot') {
    return { kind: 'snapshot', name: entryName(input.entry), store: input.store, entry: input.entry };
  }
  const table = await readFileSet(context, [input.argument], options);
  return { kind: 'files', name: input.argument, table };
}

function refuseTwice(sets: readonly Prepared[], what: string): void {
  const names = sets.map((set) => set.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new HoldoutError('USAGE', `${twice} stands twice among the ${what}`);
}

/** Opens sets in one engine, and keeps count of where the fields that were given apply. */
class SetOpener {
  private readonly context: CliContext;
  private readonly engine: Engine;
  private readonly workDirectory: string;
  private readonly fields: FieldRoles | undefined;
  private readonly withoutFields: string[] = [];

  constructor(context: CliContext, engine: Engine, workDirectory: string, fields: FieldRoles | undefined) {
    this.context = context;
    this.engine = engine;
    this.workDirectory = workDirectory;
    this.fields = fields;
  }

  async open(set: Prepared): Promise<OpenSet & { readonly known: FieldRoles }> {
    if (set.kind === 'files') {
      return { ...(await openFileSet(this.engine, set.name, set.table, this.workDirectory)), known: {} };
    }
    const { snapshot, reader } = await openVersion(this.context, set.store, this.engine, set.entry);
    const sourceOf = await traceRows(set.store, this.engine, set.entry);
    const ids = { table: snapshot.table, schemaId: snapshot.schema, setRoot: snapshot.setRoot };
    return { name: set.name, ...ids, reader, sourceOf, known: snapshot.fields };
  }

  async openEval(set: Prepared): Promise<NamedEval> {
    const opened = await this.open(set);
    const fields = this.fieldsOf(opened.name, opened.reader, opened.known);
    checkFields(opened.reader.schema, fields, set.name);
    const itemsRoot = await itemsRootOf(this.engine, opened.reader, fields);
    if (itemsRoot === null) throw new TypeError('checked fields name columns');
    return { ...opened, fields, itemsRoot };
  }

  /** Roles that were given win where the set has the columns, then those recorded, then those recognised. */
  private fieldsOf(name: string, { schema }: TableReader, known: FieldRoles): FieldRoles {
    if (this.fields !== undefined) {
      const columns = new Set(schema.columns.map((column) => column.name));
      const named = Object.values(this.fields).flat();
      if (named.every((path) => columns.has(path) || columns.has(path.split('.')[0] ?? ''))) return this.fields;
      this.withoutFields.push(name);
    }
    return known.question === undefined ? recogniseFields(schema) : known;
  }

  /** What to say about fields that were given; they must apply somewhere. */
  finish(evals: readonly string[]): string[] {
    if (this.withoutFields.length === 0) return [];
    const given = formatFields(this.fields ?? {});
    if (this.withoutFields.length === evals.length) {
      throw new HoldoutError('INPUT_INVALID', `no eval set has all the columns of --fields ${given}`);
    }
    return [`--fields ${given} does not apply to ${this.withoutFields.join(', ')}: not all of its columns there`];
  }
}
