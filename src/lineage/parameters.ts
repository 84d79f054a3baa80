/**
 * The parameters of a step as its definition describes them: for help, and for errors.
 * @module
 */
import { z } from 'zod';

/** One parameter. */
export interface Parameter {
  readonly name: string;
  /** `text`, `whole number`, `a | b`, `list of text` … */
  readonly type: string;
  readonly required: boolean;
  /** What stands for it when it is not given; undefined where nothing does. */
  readonly default: unknown;
  readonly description: string;
}

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
}

/** The parameters of a step, in the order of their definition. */
export function parametersOf(params: z.ZodType): readonly Parameter[] {
  const schema = z.toJSONSchema(params, { io: 'input' }) as JsonSchema;
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    type: typeText(property),
    required: required.has(name),
    default: property.default,
    description: property.description ?? '',
  }));
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: 'true or false',
};

function typeText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.join(' | ');
  // That a list may be empty goes without saying.
  const forms = schema.anyOf?.filter(({ prefixItems }) => prefixItems?.length !== 0);
  if (forms !== undefined) return forms.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : typeText(schema.items)}`;
  if (schema.properties !== undefined) return `{${Object.keys(schema.properties).join(', ')}}`;
  if (typeof schema.additionalProperties === 'object') return `names with ${typeText(schema.additionalProperties)}`;
  return typeNames[schema.type ?? ''] ?? schema.type ?? 'value';
}
