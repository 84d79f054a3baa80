/**
 * What is published beside the program: the JSON Schema of `holdout.yaml`, and the reference of its steps. Both are made
 * from the definitions; a test holds docs/ against them.
 * @module
 */
import { z } from 'zod';
import { pipelineFile, stepNotes } from '../schemas/pipeline-file.ts';
import { shortStepName } from '../src/lineage/find-step.ts';
import { type Parameter, parametersOf } from '../src/lineage/parameters.ts';
import type { Transform } from '../src/lineage/transform.ts';
import { builtInTransforms } from '../transforms/index.ts';

type Json = z.core.util.JSONType;
type JsonObject = { [key: string]: Json };

const schemaPlace = 'https://json-schema.org/draft/2020-12/schema';

/** The JSON Schema of a pipeline file, each step with its own parameters, as text. */
export function pipelineJsonSchema(): string {
  const definitions: JsonObject = {};
  const file = jsonSchemaOf(pipelineFile);
  const properties = file['properties'] as JsonObject;
  for (const section of ['datasets', 'evals', 'checks'] as const) {
    const given = properties[section] as JsonObject;
    // `evals:` with nothing under it is no error.
    properties[section] = { ...given, type: [given['type'] as string, 'null'] };
  }
  const [, derived] = ((properties['datasets'] as JsonObject)['additionalProperties'] as JsonObject)['anyOf'] as [
    Json,
    JsonObject,
  ];
  const steps = (derived['properties'] as JsonObject)['steps'] as JsonObject;
  const { description } = steps['items'] as JsonObject;
  steps['items'] = { ...(description === undefined ? {} : { description }), anyOf: stepForms(definitions) };
  const { $defs: _, ...rest } = file;
  const title = 'Holdout pipeline';
  return `${JSON.stringify({ $schema: schemaPlace, title, ...rest, $defs: definitions }, null, 2)}\n`;
}

/** The forms of a step: names alone, and for each step its name over its parameters. */
function stepForms(definitions: JsonObject): Json[] {
  const steps = newest(builtInTransforms);
  const alone = steps.filter(({ params }) => params.safeParse({}).success).map(({ name }) => shortStepName(name));
  const notes = jsonSchemaOf(stepNotes)['properties'] as JsonObject;
  const objects = steps.map((step): Json => {
    const name = shortStepName(step.name);
    definitions[name] = { description: step.summary, ...paramsSchema(step, name, definitions) };
    const params: Json = { $ref: `#/$defs/${name}` };
    const given: Json = alone.includes(name) ? { anyOf: [params, { type: 'null' }] } : params;
    return {
      type: 'object',
      description: step.summary,
      properties: { [name]: given, ...notes },
      patternProperties: { [`^(?:holdout/${name}|${name}@[1-9][0-9]*|holdout/${name}@[1-9][0-9]*)$`]: given },
      additionalProperties: false,
      // Besides its notes, the step itself.
      not: { propertyNames: { enum: Object.keys(notes) } },
      maxProperties: 1 + Object.keys(notes).length,
    };
  });
  return [
    { enum: alone },
    { type: 'string', pattern: `^(?:holdout/)?(?:${alone.join('|')})(?:@[1-9][0-9]*)?$` },
    ...objects,
  ];
}

/** The parameters' schema; what it defines for itself goes to the file's definitions. */
function paramsSchema({ params }: Transform, name: string, definitions: JsonObject): JsonObject {
  const { $defs: own = {}, $schema: _, ...schema } = jsonSchemaOf(params);
  const renamed = (value: Json): Json =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', `"#/$defs/${name}-`)) as Json;
  for (const [key, value] of Object.entries(own as JsonObject)) definitions[`${name}-${key}`] = renamed(value);
  return renamed(schema) as JsonObject;
}

function jsonSchemaOf(schema: z.ZodType): JsonObject {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io: 'input' });
  return made as JsonObject;
}

/** The newest version of each step. */
function newest(transforms: readonly Transform[]): readonly Transform[] {
  return transforms.filter((each) =>
    transforms.every(({ name, version }) => name !== each.name || version <= each.version),
  );
}

/** docs/STEPS.md: every step from its definition. */
export function stepsText(): string {
  const steps = newest(builtInTransforms);
  const kinds = [...new Set(steps.map(({ kind }) => kind))];
  const lines = [
    '# Steps',
    '',
    'Made from the definitions of the steps; `holdout transforms NAME` shows the same. docs/PIPELINE.md says where steps stand.',
    ...kinds.flatMap((kind) => [
      '',
      `## ${kindTitles[kind]}`,
      ...steps.filter((step) => step.kind === kind).flatMap(stepText),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

const kindTitles: Readonly<Record<Transform['kind'], string>> = {
  selecting: 'Selecting: rows stay as they are, some of them, in this order or another',
  mapping: 'Mapping: one row for each row that stays, with other columns (`from-chat` can make more)',
  'row-adding': 'Row-adding: rows of several tables, or new rows',
  user: 'Your own: code that you bring',
};

function stepText({ name, version, summary, example, params }: Transform): string[] {
  const parameters = parametersOf(params);
  return [
    '',
    `### ${shortStepName(name)}`,
    '',
    `${escaped(summary)} (\`${name}\`, version ${version})`,
    '',
    ...(parameters.length === 0 ? ['It has no parameters.'] : parameters.map(parameterLine)),
    '',
    '```yaml',
    ...example
      .trimEnd()
      .split('\n')
      .map((line, index) => `${index === 0 ? '- ' : '  '}${line}`),
    '```',
  ];
}

function parameterLine({ name, type, required, default: fallback, description }: Parameter): string {
  const otherwise = required ? '' : fallback === undefined ? ', optional' : `, default \`${JSON.stringify(fallback)}\``;
  return `- \`${name}\` (${escaped(type)}${otherwise}): ${escaped(description)}`;
}

/** Text as Markdown reads it: in a code span a backslash would stand for itself. */
function escaped(text: string): string {
  return text.replaceAll(/(`[^`]*`)|[\\*_<>[\]]/g, (found, code?: string) => code ?? `\\${found}`);
}
