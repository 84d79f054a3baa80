/**
 * A step of a lineage in words and facts: what it does, what kind of step it is, who vouches for its code.
 * @module
 */
import type { DerivationRecord } from '../../schemas/records.ts';
import { isVouchedFor } from './code-identity.ts';
import { shortStepName } from './find-step.ts';
import { type LineageStep, type StepSource, isReadStep } from './graph.ts';
import { type StepKind, type Transform, preparedOrNull } from './transform.ts';

/** What a step is, as every view of a lineage shows it. */
export interface StepFacts {
  /** `filter@1`; `read@1` for a read step. */
  readonly transform: string;
  readonly kind: StepKind | 'read';
  readonly says: string;
  /** The version that the step made, `name@3`; null for a step on the way to one. */
  readonly version: string | null;
  /** Whether the output is known to be that of these inputs by code that is identified; `own`: Holdout's. */
  readonly code: 'own' | 'identified' | 'not-vouched';
}

/** Describes step `index` of a lineage. */
export function stepFacts(
  transforms: readonly Transform[],
  steps: readonly LineageStep[],
  step: LineageStep,
): StepFacts {
  const { derivation, realisation } = step;
  const { name, version } = derivation.transform;
  const base = { transform: `${shortStepName(name)}@${version}`, version: versionName(step), code: codeOf(derivation) };
  if (isReadStep(derivation)) {
    const files = step.entry.sources.map(({ path }) => path);
    return {
      ...base,
      kind: 'read',
      says: files.length <= 3 ? `read ${files.join(' ')}` : `read ${files.length} files`,
    };
  }
  const prepared = preparedOrNull(transforms, derivation);
  const { origins, kept } = realisation;
  const seen = origins === undefined ? 'selecting' : kept === undefined ? 'row-adding' : 'mapping';
  const kind = derivation.code === undefined ? (prepared?.kind ?? seen) : 'user';
  const says = prepared === null ? base.transform : withNames(prepared.says, steps, step);
  return { ...base, kind, says };
}

/** `name@3` of the version that a step made; null where its output has no name. */
export function versionName({ entry, named }: LineageStep): string | null {
  return named ? `${entry.name}@${entry.version}` : null;
}

/** A derivation names other tables by their number; people know them by their names. */
export function withNames(says: string, steps: readonly LineageStep[], { inputs }: LineageStep): string {
  return says.replaceAll(/\binput (\d+)\b/g, (text, number: string) => {
    const source = inputs[Number(number)];
    return source === undefined ? text : sourceName(steps, source);
  });
}

/** The tables that a step read beside its own input, as people know them, in its order. */
export function otherNames(steps: readonly LineageStep[], { inputs }: LineageStep): readonly string[] {
  return inputs.slice(1).map((source) => sourceName(steps, source));
}

function sourceName(steps: readonly LineageStep[], { step }: StepSource): string {
  const from = steps[step]!;
  return versionName(from) ?? `step ${from.index + 1}`;
}

function codeOf({ code }: DerivationRecord): StepFacts['code'] {
  if (code === undefined) return 'own';
  return isVouchedFor(code) ? 'identified' : 'not-vouched';
}
