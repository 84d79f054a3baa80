/**
 * Reads a pipeline file. Everything that is wrong with it is said at once, each with its line and column.
 * @module
 */
import { pipelineCheck, pipelineFile } from '../../schemas/pipeline-file.ts';
import { HoldoutError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { checkOfFile } from './checked-value.ts';
import { orderByNeeds } from './order.ts';
import type { Pipeline, PipelineCheck } from './pipeline.ts';
import { type Draft, type PipelineReading, isMeantDerived, listOf, readDerived, readFiles } from './read-sets.ts';
import { type Path, type Place, type PlacedYaml, type Problem, readYaml } from './yaml-places.ts';
import { formatBytes } from '../size-text.ts';

/** A file larger than this is no pipeline that a person wrote. */
const fileBytesMax = 1 << 20;
const problemsShownMax = 50;

/**
 * Reads and checks.
 * @throws HoldoutError `INPUT_INVALID` for the first problem by line, the rest in `others`; `LIMIT` for a huge file
 */
export async function readPipeline(reading: PipelineReading): Promise<Pipeline> {
  const { file, text } = reading;
  const bytes = Buffer.byteLength(text);
  if (bytes > fileBytesMax) {
    throw new HoldoutError('LIMIT', `${formatBytes(bytes)}; a pipeline file has at most ${formatBytes(fileBytesMax)}`, {
      file,
    });
  }
  const yaml = readYaml(text);
  const problems: Problem[] = [...yaml.problems];
  if (yaml.value === undefined && problems.length > 0) throw failed(file, problems);
  const top = mapAt(yaml, [], 'the file', problems);
  checkTop(yaml, top, problems);
  const drafts = [
    ...(await readSection(reading, yaml, top, 'datasets', problems)),
    ...(await readSection(reading, yaml, top, 'evals', problems)),
  ];
  // A name that stands in the file is there, whatever is wrong with what stands under it.
  const [ofDatasets, ofEvals] = [namesIn(top['datasets']), namesIn(top['evals'])];
  const declared = new Set([...ofDatasets, ...ofEvals]);
  for (const name of ofEvals.filter((each) => ofDatasets.includes(each))) {
    const { line } = yaml.keyAt(['datasets'], name);
    const message = `"${name}" is a dataset and an eval set; the first stands in line ${line}`;
    problems.push({ ...yaml.keyAt(['evals'], name), message });
  }
  const unknown = new Map<string, Place[]>();
  const named = (name: string, place: Place): void => {
    if (!declared.has(name) && !reading.inStore(name)) unknown.set(name, [...(unknown.get(name) ?? []), place]);
  };
  for (const { needs } of drafts) for (const { name, path } of needs) named(name, yaml.at(path));
  const checks = readChecks(yaml, top, named, problems);
  // Under a section whose key is misspelt stand the names that seem to be missing.
  if (Object.keys(top).every((key) => topKeys.includes(key)))
    problems.push(...unknownNames(reading, declared, unknown));
  const ordered = orderByNeeds(
    drafts.map(({ node, needs }) => ({ name: node.name, node, needs: needs.map((need) => need.name) })),
  );
  if ('cycles' in ordered) {
    for (const cycle of ordered.cycles) {
      const message = `datasets are made of each other: ${cycle.join(' → ')}`;
      problems.push({ ...yaml.keyAt(['datasets'], cycle[0]!), message });
    }
    throw failed(file, problems);
  }
  if (problems.length > 0) throw failed(file, problems);
  return { file, nodes: ordered.order.map(({ node }) => node), checks };
}

function failed(file: string, problems: readonly Problem[]): HoldoutError {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  const errors = sorted
    .slice(0, problemsShownMax)
    .map(
      ({ line, column, message, hint }) =>
        [message, { file, line, column, ...(hint === undefined ? {} : { hint }) }] as const,
    );
  const [first, ...rest] = errors;
  if (first === undefined) throw new TypeError('"problems" expected at least one');
  const others = rest.map(([message, options]) => new HoldoutError('INPUT_INVALID', message, options));
  return new HoldoutError('INPUT_INVALID', first[0], { ...first[1], others });
}

function mapAt(yaml: PlacedYaml, path: Path, what: string, problems: Problem[]): Readonly<Record<string, unknown>> {
  let value: unknown = yaml.value;
  for (const key of path) value = (value as Record<string, unknown>)[String(key)];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  if (value !== undefined || path.length === 0) {
    const hint = path.length === 0 ? { hint: 'begin with "version: 1" and "datasets:"' } : {};
    problems.push({ ...yaml.at(path), message: `${what}: expected names with what stands under each`, ...hint });
  }
  return {};
}

const topKeys = Object.keys(pipelineFile.shape);

/** The keys of the file itself; what stands under them is read by itself. */
function checkTop(yaml: PlacedYaml, top: Readonly<Record<string, unknown>>, problems: Problem[]): void {
  const { version, description } = top;
  const unread = Object.fromEntries(
    Object.keys(top)
      .filter((key) => !topKeys.includes(key))
      .map((key) => [key, 0]),
  );
  const given = { version, description, ...unread };
  const checked = checkOfFile(pipelineFile, given, { yaml, path: [], what: 'the file', keys: topKeys });
  if (!checked.ok && Object.keys(top).length > 0) problems.push(...checked.problems);
}

async function readSection(
  reading: PipelineReading,
  yaml: PlacedYaml,
  top: Readonly<Record<string, unknown>>,
  section: 'datasets' | 'evals',
  problems: Problem[],
): Promise<Draft[]> {
  if (top[section] === undefined || top[section] === null) return [];
  const entries = mapAt(yaml, [section], section, problems);
  const named = Object.fromEntries(Object.keys(entries).map((name) => [name, { files: 'x' }]));
  const names = checkOfFile(pipelineFile.shape.evals, named, { yaml, path: [section], what: section, keys: [] });
  if (!names.ok) problems.push(...names.problems);
  const drafts: Draft[] = [];
  for (const [name, given] of Object.entries(entries)) {
    const path = [section, name];
    const what = section === 'evals' ? `eval set "${name}"` : `dataset "${name}"`;
    const draft =
      section === 'datasets' && isMeantDerived(given)
        ? readDerived(reading, yaml, { name, given, path, what }, problems)
        : await readFiles(reading, yaml, { name, given, path, what, section }, problems);
    if (draft !== null) drafts.push(draft);
  }
  return drafts;
}

function readChecks(
  yaml: PlacedYaml,
  top: Readonly<Record<string, unknown>>,
  named: (name: string, place: Place) => void,
  problems: Problem[],
): PipelineCheck[] {
  const given = top['checks'];
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) {
    problems.push({
      ...yaml.at(['checks']),
      message: 'checks: expected a list of checks',
      hint: 'write each as a line of its own: "- {train: …, against: …}"',
    });
    return [];
  }
  const checks: PipelineCheck[] = [];
  for (const [index, each] of given.entries()) {
    const path = ['checks', index];
    const what = `check ${index + 1}`;
    const checked = checkOfFile(pipelineCheck, each, { yaml, path, what, keys: Object.keys(pipelineCheck.shape) });
    if (!checked.ok) {
      problems.push(...checked.problems);
      continue;
    }
    const { train, against, fail_on: failOn, 'allow-incomplete': allowIncomplete } = checked.value;
    for (const [key, value] of [
      ['train', train],
      ['against', against],
    ] as const) {
      for (const [at, name] of listOf(value).entries()) {
        const place = yaml.at(typeof value === 'string' ? [...path, key] : [...path, key, at]);
        named(name, place);
      }
    }
    const [trains, evals] = [listOf(train), listOf(against)];
    const label = `${trains.join(', ')} against ${evals.join(', ')}${failOn === 'suspect' ? ', suspects fail' : ''}`;
    const place = yaml.at(path);
    if (checks.some((before) => before.label === label))
      problems.push({ ...place, message: `${what}: ${label} stands twice` });
    checks.push({ label, trains, evals, failOn, allowIncomplete, place });
  }
  return checks;
}

/** Each name that nothing has once, where it stands first. */
function unknownNames(
  { storeNames }: PipelineReading,
  declared: ReadonlySet<string>,
  unknown: ReadonlyMap<string, readonly Place[]>,
): Problem[] {
  return [...unknown].map(([name, places]): Problem => {
    const [first, ...rest] = [...places].sort((a, b) => a.line - b.line || a.column - b.column);
    const lines = [...new Set(rest.map(({ line }) => line))].filter((line) => line !== first!.line);
    const also = lines.length === 0 ? '' : ` (also named in line ${lines.join(', ')})`;
    const near = nearestName(name.split('@', 1)[0] ?? name, [...declared, ...storeNames]);
    const hint = near === null ? {} : { hint: `did you mean ${near}?` };
    return { ...first!, message: `there is no dataset "${name}" in this file or in the store${also}`, ...hint };
  });
}

function namesIn(section: unknown): string[] {
  return typeof section === 'object' && section !== null && !Array.isArray(section) ? Object.keys(section) : [];
}
