/**
 * The checks of a pipeline: run on versions, under the names of the file, so that the same data give the same report
 * in every store. A report that says what a check would say is taken instead of a run.
 * @module
 */
import type { Sha256Id } from '../schemas/ids.ts';
import type { LeakReport } from '../schemas/leak-report.ts';
import type { FieldRoles } from '../schemas/records.ts';
import { type TableSchema, tableSchema } from '../schemas/table-schema.ts';
import type { Engine } from '../src/engine/engine.ts';
import { canonicalJson } from '../src/identity/canonical-json.ts';
import { checkLeaks } from '../src/leakage/check-leaks.ts';
import { checkFields, recogniseFields } from '../src/leakage/fields.ts';
import { foldTableDigest } from '../src/leakage/fold-table.data.ts';
import { methodVersion } from '../src/leakage/method.ts';
import { oddEvalNotes } from '../src/leakage/odd-evals.ts';
import type { NamedEval, NamedTable } from '../src/leakage/types.ts';
import { traceRows } from '../src/lineage/trace.ts';
import type { PipelineCheck } from '../src/pipeline/pipeline.ts';
import type { StoredVersion } from '../src/pipeline/plan-run.ts';
import { storedVersion, versionMeant } from '../src/pipeline/store-facts.ts';
import type { Store } from '../src/store/store.ts';
import { itemsRootOf } from '../src/tables/items-root.ts';
import type { TableReader } from '../src/tables/table-reader.ts';
import type { CliContext } from './context.ts';
import { remark } from './output.ts';
import { startProgress } from './progress.ts';
import { type IdentifiedReport, newestReport } from './reports.ts';
import { openVersion } from './snapshots.ts';

/** A check's report as it is stored, and the same with the places of its hits. */
export interface CheckedReport extends IdentifiedReport {
  readonly shown: LeakReport;
}

interface NamedVersion extends StoredVersion {
  readonly name: string;
}

/** The stored report that says what this check would say now, or null. */
export async function findCheckReport(store: Store, check: PipelineCheck): Promise<IdentifiedReport | null> {
  const trains = await versionsOf(store, check.trains);
  const evals = await versionsOf(store, check.evals);
  const wanted = canonicalJson({
    trains: trains.map(({ name, snapshot }) => ({ name, table: snapshot.table, schema: snapshot.schema })),
    evals: await Promise.all(
      evals.map(async ({ name, snapshot }) => ({
        name,
        table: snapshot.table,
        schema: snapshot.schema,
        fields: await fieldsOf(store, snapshot),
      })),
    ),
    method: { version: methodVersion, foldTable: foldTableDigest, failOn: check.failOn },
  });
  return newestReport(store, (report) => aboutOf(report) === wanted);
}

/** What a report is about, in the form of `wanted` above. */
function aboutOf({ trains, evals, method }: LeakReport): string {
  const { version, foldTable, failOn } = method;
  return canonicalJson({
    trains: trains.map(({ name, table, schema }) => ({ name, table, schema })),
    evals: evals.map(({ name, table, schema, fields }) => ({ name, table, schema, fields })),
    method: { version, foldTable, failOn },
  });
}

/**
 * Checks, and keeps the report. The stored one names rows by digest and position only: where a file lay when it was
 * read differs between stores.
 * @throws HoldoutError as reading the versions and the check do
 */
export async function runCheck(context: CliContext, store: Store, check: PipelineCheck): Promise<CheckedReport> {
  const engine = await context.openEngine(store, { writeDirectories: [await context.scratchBeside(store)] });
  const trains: NamedTable[] = [];
  for (const version of await versionsOf(store, check.trains))
    trains.push((await open(context, store, engine, version)).named);
  const evals: NamedEval[] = [];
  const asked = await versionsOf(store, check.evals);
  for (const version of asked) evals.push(await openEval(context, store, engine, version));
  const roles = asked.map(({ name, snapshot: { table, role } }) => ({ name, table, role }));
  for (const note of oddEvalNotes(trains, roles)) remark(`check ${check.label}: ${note}`);
  const progress = startProgress(`check ${check.label}`);
  const { report: shown } = await checkLeaks({
    engine,
    trains,
    evals,
    threads: context.threads,
    failOn: check.failOn,
    onProgress: ({ bytes }) => progress.update(bytes),
  }).finally(() => progress.end());
  const hits = shown.hits.map((hit) => ({ ...hit, source: null, item: { ...hit.item, source: null } }));
  const report: LeakReport = { ...shown, hits };
  const id = await store.putRecord(report);
  const kept = (state: { readonly reports: readonly { readonly report: Sha256Id }[] }): boolean =>
    state.reports.at(-1)?.report === id;
  await store.commit((state) => (kept(state) ? null : { op: 'report', report: id }), context.now());
  return { id, report, shown };
}

/**
 * A stored report with the places of its hits, looked up as they are now.
 * @throws HoldoutError as the store does
 */
export async function withPlaces(
  context: CliContext,
  store: Store,
  check: PipelineCheck,
  report: LeakReport,
): Promise<LeakReport> {
  if (report.hits.length === 0) return report;
  const engine = await context.openEngine(store);
  const places = new Map<string, Awaited<ReturnType<typeof traceRows>>>();
  for (const { name, entry } of await versionsOf(store, [...check.trains, ...check.evals])) {
    places.set(name, await traceRows(store, engine, entry));
  }
  const hits = report.hits.map((hit) => ({
    ...hit,
    source: places.get(hit.train)?.(hit.row.row) ?? null,
    item: { ...hit.item, source: places.get(hit.eval)?.(hit.item.row) ?? null },
  }));
  return { ...report, hits };
}

async function versionsOf(store: Store, names: readonly string[]): Promise<NamedVersion[]> {
  const versions: NamedVersion[] = [];
  const version = (name: string): Promise<StoredVersion | null> => storedVersion(store, name);
  for (const name of names) versions.push({ name, ...(await versionMeant({ version }, name)) });
  return versions;
}

interface OpenTable {
  readonly named: NamedTable;
  readonly reader: TableReader;
}

async function open(
  context: CliContext,
  store: Store,
  engine: Engine,
  { name, entry }: NamedVersion,
): Promise<OpenTable> {
  const { snapshot, reader } = await openVersion(context, store, engine, entry);
  const sourceOf = await traceRows(store, engine, entry);
  const ids = { table: snapshot.table, schemaId: snapshot.schema, setRoot: snapshot.setRoot };
  return { named: { name, ...ids, reader, sourceOf }, reader };
}

async function openEval(context: CliContext, store: Store, engine: Engine, version: NamedVersion): Promise<NamedEval> {
  const { named, reader } = await open(context, store, engine, version);
  const fields = await fieldsOf(store, version.snapshot);
  checkFields(reader.schema, fields, version.name);
  const itemsRoot = await itemsRootOf(engine, reader, fields);
  if (itemsRoot === null) throw new TypeError('checked fields name columns');
  return { ...named, fields, itemsRoot };
}

/** Roles that the snapshot names, else those recognised. */
async function fieldsOf(store: Store, { fields, schema }: StoredVersion['snapshot']): Promise<FieldRoles> {
  if (fields.question !== undefined) return fields;
  const types: TableSchema = await store.getRecord(schema, tableSchema);
  return recogniseFields(types);
}
