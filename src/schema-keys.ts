/**
 * The keys that a schema knows at a place inside of it, for errors about keys.
 * @module
 */
import { z } from 'zod';

interface JsonSchema {
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
}

/** Keys that may stand in the value at `path`, of all forms that it may have; none where its keys are free. */
export function keysAt(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  const whole = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  let forms = formsOf(whole);
  for (const segment of path) forms = forms.flatMap((form) => inside(form, segment)).flatMap(formsOf);
  return [...new Set(forms.flatMap(({ properties = {} }) => Object.keys(properties)))];
}

function formsOf(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []).flatMap(formsOf)];
}

function inside({ items, properties, additionalProperties }: JsonSchema, segment: string | number): JsonSchema[] {
  if (typeof segment === 'number') return items === undefined ? [] : [items];
  const own = properties?.[segment];
  if (own !== undefined) return [own];
  return typeof additionalProperties === 'object' ? [additionalProperties] : [];
}
