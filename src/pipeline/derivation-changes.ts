/**
 * What of a step is not as it was, in words: for whoever is told that a derivation is another.
 * @module
 */
import type { DerivationRecord } from '../../schemas/records.ts';
import { canonicalJson } from '../identity/canonical-json.ts';
import { type VersionChange, jsonChanges } from '../lineage/reproduce-compare.ts';
import type { PreparedStep } from '../lineage/transform.ts';

type Json = DerivationRecord['params'];

const valueCharactersMax = 120;
/** So many parameters that were edited at once are looked for among what follows from them. */
const editedMax = 3;

/**
 * Each change as `where: length(output) > 10 → length(output) > 20`; at least one for records that differ.
 * @param step of `is`: what it makes out of the parameter that changed is left out. Null where it is not known.
 */
export function derivationChanges(
  was: DerivationRecord,
  is: DerivationRecord,
  step: Pick<PreparedStep, 'complete'> | null,
): readonly string[] {
  // Parameters of different transforms do not stand for each other.
  if (was.transform.name !== is.transform.name) return [`step: ${named(was)} → ${named(is)}`];
  const changes = [
    ...jsonChanges('step', named(was), named(is)),
    ...editedChanges(was.params, is.params, step),
    ...jsonChanges('seed', was.seed, is.seed),
    ...jsonChanges('code', was.code, is.code),
  ].map(({ what, was: before, is: after }) => {
    const name = what.replace(/^params\.(?=.)/, '').replace(/^code\.files\./, 'code of ');
    return `${name}: ${shortened(before)} → ${shortened(after)}`;
  });
  return [...changes, ...inputChanges(was.inputs, is.inputs)];
}

/** Where all changes follow from a few of them, those. */
function editedChanges(was: Json, is: Json, step: Pick<PreparedStep, 'complete'> | null): VersionChange[] {
  const all = jsonChanges('params', was, is);
  if (step === null || !isMap(was) || !isMap(is)) return all;
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  const changed = keys.filter((key) => canonicalJson(was[key] ?? null) !== canonicalJson(is[key] ?? null));
  for (let size = 1; size <= editedMax && size < changed.length; size++) {
    const edited = choicesOf(changed, size).find((chosen) => {
      const derived = changed.filter((key) => !chosen.includes(key));
      return [was, is].every((params) => isCompletedTo(params, derived, step));
    });
    if (edited !== undefined) return edited.flatMap((key) => jsonChanges(`params.${key}`, was[key], is[key]));
  }
  return all;
}

/** All choices of so many of the keys, in their order. */
function choicesOf(keys: readonly string[], size: number): (readonly string[])[] {
  if (size === 0) return [[]];
  return keys.flatMap((key, index) => choicesOf(keys.slice(index + 1), size - 1).map((rest) => [key, ...rest]));
}

/** Whether the step makes the parameters in full out of themselves without some of them. */
function isCompletedTo(
  params: Readonly<Record<string, Json>>,
  derived: readonly string[],
  step: Pick<PreparedStep, 'complete'>,
): boolean {
  const given = Object.fromEntries(Object.entries(params).filter(([key]) => !derived.includes(key)));
  const full = step.complete(given);
  return full !== null && canonicalJson(full) === canonicalJson(params);
}

function isMap(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function named({ transform }: DerivationRecord): string {
  return `${transform.name}@${transform.version}`;
}

function inputChanges(was: DerivationRecord['inputs'], is: DerivationRecord['inputs']): string[] {
  if (was.length !== is.length) return [`inputs: ${was.length} → ${is.length}`];
  return is.flatMap((input, index) => {
    const before = was[index];
    if (JSON.stringify(before) === JSON.stringify(input)) return [];
    const name = index === 0 ? 'input' : `dataset ${index} that it names`;
    if (before?.kind !== 'table' || input.kind !== 'table') return [`${name}: another one`];
    return [`${name}: ${before.table === input.table ? 'other types of columns' : 'other rows'}`];
  });
}

/** Ids are told apart by their first digits. */
function shortened(text: string): string {
  const short = text.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]{52}$/, '$1');
  const characters = Array.from(short);
  return characters.length <= valueCharactersMax ? short : `${characters.slice(0, valueCharactersMax).join('')}…`;
}
