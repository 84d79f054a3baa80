/**
 * The steps of a derived dataset: each is its name, or its name over its parameters, beside `name` and `description`.
 * @module
 */
import { stepNotes } from '../../schemas/pipeline-file.ts';
import { HoldoutError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { findStep, shortStepName } from '../lineage/find-step.ts';
import { listHint, parametersHint } from '../lineage/meant-parameters.ts';
import { parametersOf } from '../lineage/parameters.ts';
import type { PreparedStep, Transform } from '../lineage/transform.ts';
import { checkOfFile } from './checked-value.ts';
import type { NodeStep } from './pipeline.ts';
import type { Path, PlacedYaml, Problem } from './yaml-places.ts';

/** What reading steps needs. */
export interface StepReading {
  readonly yaml: PlacedYaml;
  readonly transforms: readonly Transform[];
  /** The version of a step that the lock names, so that a new release changes no id; else null. */
  readonly lockedVersion: (step: string) => number | null;
  readonly problems: Problem[];
}

/** A dataset that is needed, and where the file names it. */
export interface Need {
  readonly name: string;
  readonly path: Path;
}

/** A step, and the datasets that its parameters name. */
export interface ReadStep extends NodeStep {
  readonly needs: readonly Need[];
}

const noteKeys = Object.keys(stepNotes.shape);

/** One step, or null where something is wrong with it, which `problems` then says. */
export function readStep(reading: StepReading, given: unknown, path: Path, what: string): ReadStep | null {
  const { yaml, problems } = reading;
  if (typeof given === 'string') return prepare(reading, given, {}, { path, paramsPath: path, what, name: undefined });
  const place = yaml.at(path);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    problems.push({ ...place, message: `${what}: expected a step: its name, or its name over its parameters` });
    return null;
  }
  const entries = Object.entries(given);
  const noted = Object.fromEntries(entries.filter(([key]) => noteKeys.includes(key)));
  const notes = checkOfFile(stepNotes, noted, { yaml, path, what, keys: noteKeys });
  if (!notes.ok) problems.push(...notes.problems);
  const [step, second] = entries.filter(([key]) => !noteKeys.includes(key));
  if (step === undefined) {
    problems.push({ ...place, message: `${what}: no step is named`, hint: '`holdout transforms` lists the steps' });
    return null;
  }
  if (second !== undefined) {
    problems.push(secondKey(reading, { path, what }, step[0], second[0]));
    return null;
  }
  const [name, params] = step;
  const paramsPath = [...path, name];
  return prepare(reading, name, params ?? {}, {
    path,
    paramsPath,
    what,
    name: notes.ok ? notes.value.name : undefined,
  });
}

/** What a second key beside a step most likely is: a note or a parameter out of place, or a step without its dash. */
function secondKey(
  { yaml, transforms }: StepReading,
  { path, what }: Pick<StepPlace, 'path' | 'what'>,
  name: string,
  second: string,
): Problem {
  const first = stepNamed(name, transforms);
  if (first instanceof HoldoutError) {
    const { message, hint } = first;
    return { ...yaml.keyAt(path, name), message: `${what}: ${message}`, ...(hint === undefined ? {} : { hint }) };
  }
  const place = yaml.keyAt(path, second);
  if (parametersOf(first.params).some((parameter) => parameter.name === second)) {
    const hint = `indent it below ${name}, or write ${name}: {${second}: …}`;
    return { ...place, message: `${what}: "${second}" is a parameter of ${name} and stands beside it`, hint };
  }
  const note = stepNamed(second, transforms) instanceof HoldoutError ? nearestName(second, noteKeys) : null;
  if (note !== null) return { ...place, message: `${what}: unknown key "${second}" (did you mean ${note}?)` };
  const message = `${what}: "${name}" and "${second}" where one step is expected`;
  return { ...place, message, hint: 'begin each step with a dash of its own' };
}

function stepNamed(name: string, transforms: readonly Transform[]): Transform | HoldoutError {
  try {
    return findStep(name, transforms);
  } catch (error) {
    if (error instanceof HoldoutError) return error;
    throw error;
  }
}

interface StepPlace {
  readonly path: Path;
  readonly paramsPath: Path;
  readonly what: string;
  readonly name: string | undefined;
}

function prepare(reading: StepReading, named: string, params: unknown, at: StepPlace): ReadStep | null {
  const { yaml, problems } = reading;
  const place = at.paramsPath === at.path ? yaml.at(at.path) : yaml.keyAt(at.path, named);
  const fail = (error: unknown): null => {
    if (!(error instanceof HoldoutError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    problems.push({ ...place, message: `${at.what}: ${error.message}`, ...hint });
    return null;
  };
  let transform: Transform;
  try {
    transform = findStep(named, reading.transforms, reading.lockedVersion(shortStepName(named)));
  } catch (error) {
    return fail(error);
  }
  const what = `${at.what}, ${shortStepName(transform.name)}`;
  const keys = parametersOf(transform.params).map((parameter) => parameter.name);
  const hint = parametersHint(transform, params);
  const hintOf = (key: string): string | undefined => listHint(transform.params, params, key);
  const checked = checkOfFile(transform.params, params, { yaml, path: at.paramsPath, what, keys, hint, hintOf });
  if (!checked.ok) {
    problems.push(...checked.problems);
    return null;
  }
  try {
    const step: PreparedStep = transform.prepare(params);
    const needs = step.datasets.flatMap(({ names, at: inside }) =>
      typeof names === 'string' ? [{ name: names, path: [...at.paramsPath, ...inside] }] : [],
    );
    return { label: at.name ?? shortStepName(transform.name), step, place, needs };
  } catch (error) {
    return fail(error);
  }
}

/** Says which name given by `name:` two steps share. */
export function refuseSameStepNames(steps: readonly (NodeStep | null)[], problems: Problem[], what: string): void {
  const seen = new Map<string, NodeStep>();
  for (const step of steps) {
    if (step === null || step.label === shortStepName(step.step.name)) continue;
    const first = seen.get(step.label);
    if (first !== undefined) {
      const message = `${what}: two steps are named "${step.label}"; the first stands in line ${first.place.line}`;
      problems.push({ ...step.place, message });
    }
    seen.set(step.label, first ?? step);
  }
}
