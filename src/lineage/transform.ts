/**
 * What a step of the lineage is: a named, versioned function from tables to a table, whose parameters are checked once
 * and become part of the derivation's id.
 * @module
 */
import { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { DerivationRecord, RealisationRecord, SnapshotRecord, TableRef } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { canonicalJson } from '../identity/canonical-json.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { checkValue, problemText } from '../value-problems.ts';
import { parametersHint } from './meant-parameters.ts';
import { parametersOf } from './parameters.ts';
import type { RowPlace } from './row-source.ts';
import type { StepOutput } from './step-output.ts';

/** How a step treats rows. */
export type StepKind =
  /** Rows stay as they are, some of them, in this order or another. */
  | 'selecting'
  /** One row of the output for each row that stays, with other columns; a parameter may ask for more. */
  | 'mapping'
  /** Rows of several tables, or new rows. */
  | 'row-adding'
  /** Code of the person's own. */
  | 'user';

/** Another table that a step's parameters name. */
export interface OtherTable {
  readonly ref: TableRef;
  /** Its snapshot, with role and fields, where the reference is to a snapshot; else null. */
  readonly snapshot: SnapshotRecord | null;
  readonly reader: TableReader;
}

/** An engine that a step has for itself, and the step's tables in it. */
export interface OwnEngine {
  readonly engine: Engine;
  readonly input: TableReader;
  /** In the order of `StepContext.others`. */
  readonly others: readonly TableReader[];
}

/** What a running step is given. */
export interface StepContext {
  readonly input: TableReader;
  readonly engine: Engine;
  /** The seed of the derivation; 0 for a step that takes none. */
  readonly seed: number;
  /** The tables that `datasets` named, in that order. */
  readonly others: readonly OtherTable[];
  /** A stored record that `records` named. */
  readonly record: <T>(id: Sha256Id, schema: z.ZodType<T>) => Promise<T>;
  /** Opens an engine for code of the person's own; the runner closes it. */
  readonly ownEngine: (threads: number) => Promise<OwnEngine>;
  /** Whether nobody asks of which rows the new ones were made: a step need not find out, where that takes work. */
  readonly withoutOrigins?: boolean | undefined;
  /** A folder that the engine reads and writes; the runner removes it. */
  readonly scratch: string;
  readonly threads: number;
  /** Where relative paths of parameters begin. */
  readonly projectRoot: string;
  /** Ends the step with `INTERRUPTED`. */
  readonly signal?: AbortSignal | undefined;
  /** How many rows of the input are done. */
  readonly onProgress?: ((rowsDone: number) => void) | undefined;
  /** Where a row of the input came from, for errors and for code that asks. */
  readonly sourceOf: (position: number) => Promise<RowPlace | null>;
}

/** A parameter that names a dataset: as the person writes it, or in a derivation the number of the input. */
export const datasetParam = z.union([z.string().min(1), z.strictObject({ input: z.int().positive() })], {
  error: 'expected the name of a dataset',
});
export type DatasetParam = z.infer<typeof datasetParam>;

/** Where in the parameters a dataset is named. */
export interface DatasetReference {
  /** Keys and indexes that lead to it. */
  readonly at: readonly (string | number)[];
  readonly names: DatasetParam;
  /** `snapshot`: roles of fields count, too, so the derivation names the snapshot. `table`: the rows alone. */
  readonly as: 'table' | 'snapshot';
}

/** Rows of which a step made nothing, and what is known of its run. */
export interface RowsGone {
  /** Positions in the step's own input (`input` 0), or in `others[input - 1]`. */
  readonly rows: readonly number[];
  readonly input: number;
  /** Whether something was made of a row of that input, or it stays. */
  readonly stays: (row: number) => boolean;
  readonly realisation: RealisationRecord;
}

/** Why rows went: a sentence for each without an end, to stand after "dropped by NAME:"; null where that is not known. */
export type WhyGone = readonly (string | null)[];

/** What of the person's code counts: an identity for the derivation, as JSON. */
export type CodeIdentity = z.core.util.JSONType;

/** A step as its author writes it. */
export interface StepDefinition<P> {
  readonly name: string;
  /** Raised whenever the same parameters and inputs may give another output. */
  readonly version: number;
  readonly kind: StepKind;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** The step as a person writes it, in YAML. */
  readonly example: string;
  /** Parameters, each with its description. */
  readonly params: z.ZodType<P>;
  /** Whether the parameter `seed` is the derivation's seed. */
  readonly seeded?: boolean;
  /**
   * What it counts, in the order in which people are told of it; what is not named is evidence, for programs. Without it
   * all counts are told, the most first.
   */
  readonly toldCounts?: readonly string[];
  /** One line for people. */
  describe(params: P): string;
  /** Stored records that the step reads; they are inputs of the derivation. */
  records?(params: P): readonly Sha256Id[];
  /** Datasets that the parameters name; they are inputs of the derivation. */
  datasets?(params: P): readonly DatasetReference[];
  /** Files that the parameters name, as they are written. */
  files?(params: P): readonly string[];
  /**
   * Identity of the code that the step runs; it stands in the derivation.
   * @throws HoldoutError `NOT_FOUND`, `USAGE` where the code cannot be had
   */
  code?(params: P, place: { readonly projectRoot: string }): Promise<CodeIdentity>;
  /** `declared-not`: run once, its output kept like raw data. By default a step is deterministic. */
  determinism?(params: P): 'deterministic' | 'declared-not';
  run(context: StepContext, params: P): Promise<StepOutput>;
  /**
   * Why it let rows go. Asked on the inputs of a run that was recorded; it runs no code of the person's own.
   * @throws HoldoutError as the step does
   */
  whyGone?(context: StepContext, params: P, gone: RowsGone): Promise<WhyGone>;
}

/** A step with its parameters checked, ready to run. */
export interface PreparedStep {
  readonly name: string;
  readonly version: number;
  readonly kind: StepKind;
  /** All parameters but the seed, datasets as they were given. */
  readonly params: z.core.util.JSONType;
  readonly seed: number | null;
  /** What other parameters, the seed aside, are in full; null where the step does not take them. */
  readonly complete: (params: z.core.util.JSONType) => z.core.util.JSONType | null;
  readonly says: string;
  /** What of its counts people are told, in this order; null: all, the most first. */
  readonly toldCounts: readonly string[] | null;
  readonly records: readonly Sha256Id[];
  readonly datasets: readonly DatasetReference[];
  /** Files that the parameters name; relative paths begin at `StepContext.projectRoot`. */
  readonly files: readonly string[];
  readonly determinism: 'deterministic' | 'declared-not';
  /** Null for a step without code of the person's own. */
  readonly code: ((place: { readonly projectRoot: string }) => Promise<CodeIdentity>) | null;
  run(context: Omit<StepContext, 'seed'>): Promise<StepOutput>;
  /** Null for a step that never says why rows went. */
  readonly whyGone: ((context: Omit<StepContext, 'seed'>, gone: RowsGone) => Promise<WhyGone>) | null;
}

/** A step that the runner can be handed. */
export interface Transform extends Pick<
  StepDefinition<unknown>,
  'name' | 'version' | 'kind' | 'summary' | 'example' | 'params'
> {
  readonly toldCounts: readonly string[] | null;
  /** Checks parameters, the seed among them. @throws HoldoutError USAGE naming every parameter that is wrong. */
  prepare(params: unknown): PreparedStep;
}

/** Makes a step out of its definition. */
export function defineTransform<P extends z.core.util.JSONType>(definition: StepDefinition<P>): Transform {
  const { name, version, kind, summary, example, toldCounts = null } = definition;
  const complete = (given: unknown): { params: P; seed: number | null; rest: z.core.util.JSONType } => {
    // As a derivation keeps them, members sorted: what runs is what is run again.
    const params = JSON.parse(canonicalJson(checkParams(definition, given))) as P;
    return { params, ...(definition.seeded === true ? takeSeed(params) : { seed: null, rest: params }) };
  };
  return {
    name,
    version,
    kind,
    summary,
    example,
    params: definition.params,
    toldCounts,
    prepare(given) {
      const { params, seed, rest } = complete(given);
      return {
        name,
        version,
        params: rest,
        seed,
        complete: (other) => (definition.params.safeParse(other).success ? complete(other).rest : null),
        kind,
        says: definition.describe(params),
        toldCounts,
        records: definition.records?.(params) ?? [],
        datasets: definition.datasets?.(params) ?? [],
        files: definition.files?.(params) ?? [],
        determinism: definition.determinism?.(params) ?? 'deterministic',
        code: definition.code === undefined ? null : (place) => definition.code!(params, place),
        run: (context) => definition.run({ ...context, seed: seed ?? 0 }, params),
        whyGone:
          definition.whyGone === undefined
            ? null
            : (context, gone) => definition.whyGone!({ ...context, seed: seed ?? 0 }, params, gone),
      };
    },
  };
}

function checkParams<P>({ name, example, params }: StepDefinition<P>, given: unknown): P {
  const unfit = unfitText(given);
  if (unfit !== null) throw new HoldoutError('USAGE', `${name}: a parameter holds ${unfit}`);
  const known = parametersOf(params).map((parameter) => parameter.name);
  const checked = checkValue(params, given, known);
  if (checked.ok) return checked.value;
  const wrong = checked.problems.map((problem) =>
    problem.kind === 'unknown-key' && problem.path.length === 0 ? problem.says : problemText(problem, 'parameters'),
  );
  throw new HoldoutError('USAGE', `${name}: ${wrong.join('; ')}`, {
    hint: parametersHint({ name, example, params }, given),
  });
}

/** What no identity, or no SQL, takes of a text. */
function unfitText(value: unknown): string | null {
  if (typeof value === 'string') {
    if (/\p{Cs}/u.test(value)) return 'half a surrogate pair, which is no text';
    return value.includes('\0') ? 'a NUL character' : null;
  }
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, member] of Object.entries(value)) {
    const unfit = unfitText(key) ?? unfitText(member);
    if (unfit !== null) return unfit;
  }
  return null;
}

function takeSeed(params: z.core.util.JSONType): { seed: number; rest: z.core.util.JSONType } {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) {
    throw new TypeError('"params" of a seeded step expected an object');
  }
  const { seed, ...rest } = params;
  if (typeof seed !== 'number') throw new TypeError('"params" of a seeded step expected a number "seed"');
  return { seed, rest };
}

/** The transform of this name and version among those handed in, or null. */
function findTransform(transforms: readonly Transform[], name: string, version: number): Transform | null {
  return transforms.find((each) => each.name === name && each.version === version) ?? null;
}

/**
 * The step that a derivation asked for, or null where no such transform is handed in.
 * @throws HoldoutError USAGE for parameters that the transform no longer takes.
 */
export function prepareAgain(
  transforms: readonly Transform[],
  { transform, params, seed }: Pick<DerivationRecord, 'transform' | 'params' | 'seed'>,
): PreparedStep | null {
  const found = findTransform(transforms, transform.name, transform.version);
  if (found === null) return null;
  const named = typeof params === 'object' && params !== null && !Array.isArray(params);
  return found.prepare(seed !== null && named ? { ...params, seed } : params);
}

/** As `prepareAgain`, and null also where the transform no longer takes the parameters. */
export function preparedOrNull(
  transforms: readonly Transform[],
  derivation: Pick<DerivationRecord, 'transform' | 'params' | 'seed'>,
): PreparedStep | null {
  try {
    return prepareAgain(transforms, derivation);
  } catch (error) {
    if (error instanceof HoldoutError) return null;
    throw error;
  }
}
