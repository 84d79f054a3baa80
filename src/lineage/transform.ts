/**
 * What a step of the lineage is: a named, versioned function from tables to a table, whose parameters are checked once
 * and become part of the derivation's id.
 * @module
 */
import type { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { DerivationRecord } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { parametersOf } from './parameters.ts';

/** Positions of the rows that stay: in the order of the new table, or as a bitmap (bit i of byte i >> 3, least first). */
export type Keep = Uint32Array | { readonly bitmap: Uint8Array };

/** What a step yields. A selecting step says which rows of its one input stay; no row is written again. */
export interface StepOutput {
  readonly kind: 'rows';
  readonly keep: Keep;
  /** What it counted, kept as evidence. */
  readonly counts: Readonly<Record<string, number>>;
}

/** What a running step is given. */
export interface StepContext {
  readonly input: TableReader;
  readonly engine: Engine;
  /** The seed of the derivation; 0 for a step that takes none. */
  readonly seed: number;
  /** A stored record that `records` named. */
  readonly record: <T>(id: Sha256Id, schema: z.ZodType<T>) => Promise<T>;
}

/** A step as its author writes it. */
export interface StepDefinition<P> {
  readonly name: string;
  /** Raised whenever the same parameters and inputs may give another output. */
  readonly version: number;
  /** `selecting`: rows stay as they are, some of them, in this order or another. */
  readonly kind: 'selecting';
  /** What it does, in a sentence. */
  readonly summary: string;
  /** The step as a person writes it, in YAML. */
  readonly example: string;
  /** Parameters, each with its description. */
  readonly params: z.ZodType<P>;
  /** Whether the parameter `seed` is the derivation's seed. */
  readonly seeded?: boolean;
  /** One line for people. */
  describe(params: P): string;
  /** Stored records that the step reads; they are inputs of the derivation. */
  records(params: P): readonly Sha256Id[];
  run(context: StepContext, params: P): Promise<StepOutput>;
}

/** A step with its parameters checked, ready to run. */
export interface PreparedStep {
  readonly name: string;
  readonly version: number;
  /** The parameters as they stand in the derivation: all but the seed. */
  readonly params: z.core.util.JSONType;
  readonly seed: number | null;
  readonly says: string;
  readonly records: readonly Sha256Id[];
  run(context: Omit<StepContext, 'seed'>): Promise<StepOutput>;
}

/** A step that the runner can be handed. */
export interface Transform extends Pick<
  StepDefinition<unknown>,
  'name' | 'version' | 'kind' | 'summary' | 'example' | 'params'
> {
  /** Checks parameters, the seed among them. @throws HoldoutError USAGE naming every parameter that is wrong. */
  prepare(params: unknown): PreparedStep;
}

/** Makes a step out of its definition. */
export function defineTransform<P extends z.core.util.JSONType>(definition: StepDefinition<P>): Transform {
  const { name, version, kind, summary, example } = definition;
  return {
    name,
    version,
    kind,
    summary,
    example,
    params: definition.params,
    prepare(given) {
      const params = checkParams(definition, given);
      const { seed, rest } = definition.seeded === true ? takeSeed(params) : { seed: null, rest: params };
      return {
        name,
        version,
        params: rest,
        seed,
        says: definition.describe(params),
        records: definition.records(params),
        run: (context) => definition.run({ ...context, seed: seed ?? 0 }, params),
      };
    },
  };
}

function checkParams<P>({ name, params }: StepDefinition<P>, given: unknown): P {
  const checked = params.safeParse(given);
  if (checked.success) return checked.data;
  const known = parametersOf(params).map((parameter) => parameter.name);
  const wrong = checked.error.issues.map((issue) => {
    if (issue.code !== 'unrecognized_keys' || issue.path.length > 0) {
      return `${issue.path.join('.') || 'parameters'}: ${issue.message}`;
    }
    return issue.keys.map((key) => `${key}: no such parameter${meant(key, known)}`).join('; ');
  });
  throw new HoldoutError('USAGE', `${name}: ${wrong.join('; ')}`, {
    hint: known.length === 0 ? 'it has no parameters' : `its parameters: ${known.join(', ')}`,
  });
}

function meant(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  return near === null ? '' : ` (did you mean ${near}?)`;
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
