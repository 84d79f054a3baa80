/**
 * A small validator of JSON Schema 2020-12, for what docs/holdout.schema.json uses; any other keyword is an error, so
 * that nothing of the schema is passed over.
 * @module
 */

type Schema = Readonly<Record<string, unknown>>;

const silent = new Set(['$schema', '$defs', 'title', 'description', 'default', 'format', 'id']);

/** Whether a value fits a schema. */
export function fits(root: Schema, value: unknown): boolean {
  return check(root, root, value);
}

function check(root: Schema, schema: Schema | boolean, value: unknown): boolean {
  if (typeof schema === 'boolean') return schema;
  return Object.entries(schema).every(([keyword, wanted]) => holds({ root, schema, value }, keyword, wanted));
}

interface Place {
  readonly root: Schema;
  readonly schema: Schema;
  readonly value: unknown;
}

function holds({ root, schema, value }: Place, keyword: string, wanted: unknown): boolean {
  if (silent.has(keyword)) return true;
  const one = (each: unknown, of: unknown = value): boolean => check(root, each as Schema, of);
  const many = wanted as readonly unknown[];
  const object = isObject(value) ? value : null;
  const list = Array.isArray(value) ? (value as unknown[]) : null;
  switch (keyword) {
    case '$ref':
      return one((root['$defs'] as Schema)[String(wanted).replace('#/$defs/', '')]);
    case 'type':
      return [wanted].flat().some((type) => isOfType(value, String(type)));
    case 'const':
      return value === wanted;
    case 'enum':
      return many.includes(value);
    case 'anyOf':
      return many.some((each) => one(each));
    case 'oneOf':
      return many.filter((each) => one(each)).length === 1;
    case 'allOf':
      return many.every((each) => one(each));
    case 'not':
      return !one(wanted);
    case 'required':
      return object === null || many.every((name) => Object.hasOwn(object, String(name)));
    case 'maxProperties':
      return object === null || Object.keys(object).length <= Number(wanted);
    case 'propertyNames':
      return object === null || Object.keys(object).every((name) => one(wanted, name));
    case 'properties':
    case 'patternProperties':
    case 'additionalProperties':
      return object === null || Object.keys(object).every((name) => check(root, schemaOf(schema, name), object[name]));
    case 'items':
      return list === null || list.every((each) => one(wanted, each));
    case 'minItems':
      return list === null || list.length >= Number(wanted);
    case 'maxItems':
      return list === null || list.length <= Number(wanted);
    case 'pattern':
      return typeof value !== 'string' || new RegExp(String(wanted), 'u').test(value);
    case 'minLength':
      return typeof value !== 'string' || Array.from(value).length >= Number(wanted);
    case 'maxLength':
      return typeof value !== 'string' || Array.from(value).length <= Number(wanted);
    case 'minimum':
      return typeof value !== 'number' || value >= Number(wanted);
    case 'maximum':
      return typeof value !== 'number' || value <= Number(wanted);
    case 'exclusiveMinimum':
      return typeof value !== 'number' || value > Number(wanted);
    case 'exclusiveMaximum':
      return typeof value !== 'number' || value < Number(wanted);
    default:
      throw new TypeError(`the schema uses "${keyword}", which this validator does not know`);
  }
}

/** The schema of a member: that of its name, else of the pattern that it fits, else of all others. */
function schemaOf(schema: Schema, name: string): Schema | boolean {
  const {
    properties = {},
    patternProperties = {},
    additionalProperties = true,
  } = schema as {
    properties?: Record<string, Schema>;
    patternProperties?: Record<string, Schema>;
    additionalProperties?: Schema | boolean;
  };
  if (Object.hasOwn(properties, name)) return properties[name]!;
  const pattern = Object.keys(patternProperties).find((each) => new RegExp(each, 'u').test(name));
  return pattern === undefined ? additionalProperties : patternProperties[pattern]!;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
