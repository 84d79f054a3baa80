/**
 * Binds a prepared step to its inputs: the datasets that its parameters name become inputs of the derivation, and the
 * parameters name those by number, so that what a dataset is called counts for nothing.
 * @module
 */
import type { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import { type DerivationRecord, type SnapshotRecord, type TableRef, snapshotRecord } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Layout } from '../tables/layout.ts';
import type { DatasetReference, PreparedStep } from './transform.ts';

type Json = z.core.util.JSONType;

/** A table that a step names, found. */
export interface BoundTable {
  readonly ref: TableRef;
  readonly snapshot: SnapshotRecord | null;
  /** Its layout where that is in hand; else the store's. */
  readonly layout?: Layout | undefined;
}

/** A step on its inputs. */
export interface BoundStep {
  readonly step: PreparedStep;
  readonly derivation: DerivationRecord;
  readonly others: readonly BoundTable[];
}

/** What binding needs. */
export interface BindRun {
  readonly store: Pick<Store, 'getRecord' | 'checkFile' | 'projectRoot'>;
  /** The snapshot that a name stands for. @throws HoldoutError NOT_FOUND */
  readonly resolve: (name: string) => Promise<Sha256Id>;
  /** Where relative paths of parameters begin; without it the store's parent folder. */
  readonly folder?: string | undefined;
}

/** The parameters of a step as its derivation has them: the datasets that they name are numbered, 0 being the input. */
export function numberedParams({ params, datasets }: PreparedStep): Json {
  let numbered = params;
  for (const [index, { at }] of datasets.entries()) numbered = withValue(numbered, at, { input: index + 1 });
  return numbered;
}

/** The datasets that steps name, in the order in which an entry lists what they read. */
export function namedDatasets(steps: readonly PreparedStep[]): readonly string[] {
  return steps.flatMap(({ datasets }) => datasets.flatMap(({ names }) => (typeof names === 'string' ? [names] : [])));
}

/**
 * The derivation of a step on an input, and the other tables that it reads.
 * @throws HoldoutError NOT_FOUND for a dataset that is not there; as the identity of the person's code does.
 */
export async function bindStep(run: BindRun, step: PreparedStep, input: TableRef): Promise<BoundStep> {
  const inputs: DerivationRecord['inputs'] = [{ kind: 'table', table: input.table, schema: input.schema }];
  const others: BoundTable[] = [];
  for (const reference of step.datasets) {
    if (typeof reference.names !== 'string') throw new TypeError('a bound step cannot be bound again');
    const id = await run.resolve(reference.names);
    const snapshot = await run.store.getRecord(id, snapshotRecord);
    const ref = { table: snapshot.table, schema: snapshot.schema };
    if (reference.as === 'table') inputs.push({ kind: 'table', ...ref });
    else inputs.push({ kind: 'record', record: id });
    others.push({ ref, snapshot: reference.as === 'table' ? null : snapshot });
  }
  for (const record of step.records) {
    if ((await run.store.checkFile('record', record)) === 'missing') {
      throw new HoldoutError('NOT_FOUND', `${step.name}: the store has no record ${record}`, {
        hint: '`holdout log` lists the leak reports',
      });
    }
    inputs.push({ kind: 'record', record });
  }
  const code =
    step.code === null ? {} : { code: await step.code({ projectRoot: run.folder ?? run.store.projectRoot }) };
  const derivation: DerivationRecord = {
    type: 'holdout/derivation@1',
    transform: { name: step.name, version: step.version },
    params: numberedParams(step),
    seed: step.seed,
    inputs,
    ...code,
  };
  return { step, derivation, others };
}

/**
 * The tables that a derivation's step names, for running it again.
 * @throws HoldoutError as the store does
 */
export async function boundTables(
  store: Pick<Store, 'getRecord'>,
  { inputs }: DerivationRecord,
  datasets: readonly DatasetReference[],
): Promise<readonly BoundTable[]> {
  const tables: BoundTable[] = [];
  for (const { names } of datasets) {
    const input = typeof names === 'string' ? undefined : inputs[names.input];
    if (input?.kind === 'table') tables.push({ ref: { table: input.table, schema: input.schema }, snapshot: null });
    else if (input?.kind === 'record') {
      const snapshot = await store.getRecord(input.record, snapshotRecord);
      tables.push({ ref: { table: snapshot.table, schema: snapshot.schema }, snapshot });
    } else throw new TypeError('a derivation names an input that it does not have');
  }
  return tables;
}

function withValue(json: Json, at: readonly (string | number)[], value: Json): Json {
  const [key, ...rest] = at;
  if (key === undefined) return value;
  if (Array.isArray(json) && typeof key === 'number' && key < json.length) {
    return json.map((each, index) => (index === key ? withValue(each, rest, value) : each));
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json) && Object.hasOwn(json, key)) {
    return { ...json, [key]: withValue(json[key]!, rest, value) };
  }
  throw new TypeError(`"datasets" names a parameter that is not there: ${at.join('.')}`);
}
