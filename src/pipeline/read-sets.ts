/**
 * What stands under a name of a pipeline file: a dataset or eval set of files, or a dataset made of others.
 * @module
 */
import type { z } from 'zod';
import { derivedDataset, evalSet, fileDataset } from '../../schemas/pipeline-file.ts';
import type { FieldRoles, Role } from '../../schemas/records.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import type { Transform } from '../lineage/transform.ts';
import { nearestName } from '../nearest-name.ts';
import { checkOfFile } from './checked-value.ts';
import type { DerivedNode, FileNode, PipelineNode } from './pipeline.ts';
import { type Need, type ReadStep, readStep, refuseSameStepNames } from './read-steps.ts';
import type { Path, Place, PlacedYaml, Problem } from './yaml-places.ts';

/** What the file is read against. */
export interface PipelineReading {
  /** Name of the file, for errors. */
  readonly file: string;
  readonly text: string;
  readonly transforms: readonly Transform[];
  /** Names of the store's datasets, for suggestions. */
  readonly storeNames: readonly string[];
  /** Whether NAME or NAME@VERSION is a version of the store. */
  readonly inStore: (text: string) => boolean;
  /** Types as text, or a file that holds them. @throws HoldoutError */
  readonly readSchema: (text: string) => Promise<TableSchema>;
  /** The version of a step of a dataset that the lock names; else null. */
  readonly lockedVersion: (dataset: string, step: string) => number | null;
}

/** What stands in the file under a name, before names are resolved. */
export interface Draft {
  readonly path: Path;
  readonly node: PipelineNode;
  readonly needs: readonly Need[];
}

/** A name, and what stands under it. */
export interface Entry {
  readonly name: string;
  readonly given: unknown;
  readonly path: Path;
  readonly what: string;
}

/** A dataset or eval set of files, or null where something is wrong with it. */
export async function readFiles(
  { file, readSchema }: PipelineReading,
  yaml: PlacedYaml,
  { name, given, path, what, section }: Entry & { readonly section: 'datasets' | 'evals' },
  problems: Problem[],
): Promise<Draft | null> {
  const place = yaml.keyAt(path.slice(0, -1), name);
  const form = section === 'evals' ? evalSet : fileDataset;
  const keys = [...Object.keys(form.shape), ...(section === 'datasets' ? ['from', 'steps'] : [])];
  const checked = checkOfFile<z.infer<typeof evalSet> & { readonly role?: Role | undefined }>(form, given, {
    yaml,
    path,
    what,
    keys,
  });
  if (!checked.ok) {
    problems.push(
      ...checked.problems.map(({ missing, ...problem }) => (missing === 'files' ? noFiles(problem, section) : problem)),
    );
    return null;
  }
  const said = checked.value;
  const files = listOf(said.files);
  const standardInput = files.indexOf('-');
  if (standardInput >= 0) {
    const at = placesOf(yaml, [...path, 'files'], said.files);
    problems.push({ ...at[standardInput]!, message: `${what}: standard input (-) cannot be read again` });
    return null;
  }
  let schema: TableSchema | undefined;
  try {
    schema = said.schema === undefined ? undefined : await readSchema(said.schema);
  } catch (error) {
    if (!(error instanceof HoldoutError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    problems.push({ ...yaml.at([...path, 'schema']), message: `${what}: ${error.message}`, ...hint });
  }
  const role: Role = section === 'evals' ? 'eval' : (said.role ?? 'none');
  const node: FileNode = {
    kind: 'files',
    name,
    section,
    file,
    place,
    places: {
      files: placesOf(yaml, [...path, 'files'], said.files),
      fields: Object.fromEntries(
        Object.entries(said.fields ?? {}).map(([role, columns]) => [
          role,
          placesOf(yaml, [...path, 'fields', role], columns ?? []),
        ]),
      ),
    },
    files,
    role,
    fields: said.fields === undefined ? undefined : fieldsOf(said.fields),
    schema,
    infer: said.infer ?? false,
    raw: said.raw ?? false,
    format: said.format,
  };
  return { path, node, needs: [] };
}

/** Whether what stands under a name is made of other datasets: by its keys, one of which may be misspelt. */
export function isMeantDerived(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  if ('from' in given || 'files' in given) return 'from' in given;
  const own = Object.keys(derivedDataset.shape);
  const known = [...new Set([...own, ...Object.keys(fileDataset.shape)])];
  return Object.keys(given).some((key) => ['from', 'steps'].includes(nearestName(key, known) ?? ''));
}

function noFiles(problem: Problem, section: 'datasets' | 'evals'): Problem {
  const hint = section === 'datasets' ? 'it comes from files ("files"), or from other datasets ("from")' : undefined;
  return { ...problem, ...(hint === undefined ? {} : { hint }) };
}

/** A dataset made of others, or null where something is wrong with it. */
export function readDerived(
  reading: PipelineReading,
  yaml: PlacedYaml,
  { name, given, path, what }: Entry,
  problems: Problem[],
): Draft | null {
  const keys = Object.keys(derivedDataset.shape);
  // Steps are checked one by one, each against its own parameters.
  const { steps: givenSteps = [], ...rest } = given as Record<string, unknown>;
  const checked = checkOfFile(derivedDataset, rest, { yaml, path, what, keys });
  if (!checked.ok) {
    const both =
      'files' in rest
        ? [{ ...yaml.keyAt(path, 'files'), message: `${what} says "files" and "from"; one of them` }]
        : [];
    problems.push(...(both.length > 0 ? both : checked.problems));
  }
  if (!Array.isArray(givenSteps)) {
    const message = `${what}: steps: expected a list of steps`;
    problems.push({ ...yaml.at([...path, 'steps']), message, hint: 'write each as a line of its own: "- filter: …"' });
    return null;
  }
  const stepReading = {
    yaml,
    transforms: reading.transforms,
    lockedVersion: (step: string) => reading.lockedVersion(name, step),
    problems,
  };
  const own = givenSteps.map((step: unknown, index) => {
    return readStep(stepReading, step, [...path, 'steps', index], `${what}, step ${index + 1}`);
  });
  refuseSameStepNames(own, problems, what);
  if (!checked.ok) return null;
  const said = checked.value.from;
  const from = listOf(said);
  const needs: Need[] = from.map((need, index) => ({
    name: need,
    path: typeof said === 'string' ? [...path, 'from'] : [...path, 'from', index],
  }));
  // `from: [a, b]` is `from: a` and a first step that puts the others behind it.
  const concat = { concat: { with: from.slice(1) } };
  const joined = from.length < 2 ? [] : [readStep(stepReading, concat, [...path, 'from'], what)];
  if (own.length + joined.length === 0) {
    problems.push({
      ...yaml.keyAt(path.slice(0, -1), name),
      message: `${what} has no step, so it would be ${from[0]}`,
    });
  }
  const steps = [...joined, ...own].filter((step): step is ReadStep => step !== null);
  for (const step of own) needs.push(...(step?.needs ?? []));
  const node: DerivedNode = {
    kind: 'derived',
    name,
    section: 'datasets',
    file: reading.file,
    place: yaml.keyAt(path.slice(0, -1), name),
    from: from[0] ?? '',
    steps,
    needs: [...new Set(needs.map((need) => need.name))],
  };
  return { path, node, needs };
}

/** Where each of one or more stands. */
function placesOf(yaml: PlacedYaml, path: Path, value: string | readonly string[]): readonly Place[] {
  return typeof value === 'string' ? [yaml.at(path)] : value.map((_, index) => yaml.at([...path, index]));
}

/** One or more, as a list. */
export function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

function fieldsOf(fields: Readonly<Record<string, string | readonly string[] | undefined>>): FieldRoles {
  const given = Object.entries(fields).filter((pair): pair is [string, string | string[]] => pair[1] !== undefined);
  return Object.fromEntries(given.map(([name, columns]) => [name, [...listOf(columns)]])) as FieldRoles;
}
