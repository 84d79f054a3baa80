/**
 * What a step of the lineage is: a named, versioned function from tables to a table, whose parameters are checked once
 * and become part of the derivation's id.
 * @module
 */
import type { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import type { TableReader } from '../tables/table-reader.ts';

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
  /** A stored record that `records` named. */
  readonly record: <T>(id: Sha256Id, schema: z.ZodType<T>) => Promise<T>;
}

/** A step as its author writes it. */
export interface StepDefinition<P> {
  readonly name: string;
  /** Raised whenever the same parameters and inputs may give another output. */
  readonly version: number;
  readonly params: z.ZodType<P>;
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
  /** The parameters as they stand in the derivation. */
  readonly params: z.core.util.JSONType;
  readonly says: string;
  readonly records: readonly Sha256Id[];
  run(context: StepContext): Promise<StepOutput>;
}

/** A step that the runner can be handed. */
export interface Transform {
  readonly name: string;
  readonly version: number;
  /** @throws HoldoutError USAGE naming every parameter that is wrong. */
  prepare(params: unknown): PreparedStep;
}

/** Makes a step out of its definition. */
export function defineTransform<P extends z.core.util.JSONType>(definition: StepDefinition<P>): Transform {
  const { name, version } = definition;
  return {
    name,
    version,
    prepare(given) {
      const checked = definition.params.safeParse(given);
      if (!checked.success) {
        const wrong = checked.error.issues.map((issue) => `${issue.path.join('.') || 'parameters'}: ${issue.message}`);
        throw new HoldoutError('USAGE', `${name}: ${wrong.join('; ')}`);
      }
      const params = checked.data;
      return {
        name,
        version,
        params,
        says: definition.describe(params),
        records: definition.records(params),
        run: (context) => definition.run(context, params),
      };
    },
  };
}

/** The transform of this name and version among those handed in, or null. */
export function findTransform(transforms: readonly Transform[], name: string, version: number): Transform | null {
  return transforms.find((each) => each.name === name && each.version === version) ?? null;
}
