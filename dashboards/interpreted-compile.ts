import type { TSchema } from 'typebox';

type Schema = Readonly<Record<string, unknown>>;
interface Problem {
  readonly instancePath: string;
  readonly message: string;
}

/** Keywords that say nothing about a value. */
const NOTES = new Set(['description', 'default', 'title', '$id', 'examples']);

/**
 * Stands in for `typebox/compile` in the page's build (see `vite.config.ts`): the keywords that our messages use, walked
 * instead of compiled. TypeBox's own checker is 20 kB of the page and knows all of JSON Schema; a keyword that this one does
 * not know is an error when the page is built or loaded, never a check left out.
 */
export function Compile(typed: TSchema) {
  const schema = typed as unknown as Schema;
  assertKnown(schema);
  return {
    Check: (value: unknown): boolean => problemOf(schema, value, '') === undefined,
    Errors: (value: unknown): Problem[] => {
      const problem = problemOf(schema, value, '');
      return problem === undefined ? [] : [problem];
    },
  };
}

type Rule = (limit: never, value: never, schema: Schema) => boolean;

const RULES: Readonly<Record<string, Rule>> = {
  type: (type: string, value: unknown) => typeFits(type, value),
  const: (expected: unknown, value: unknown) => value === expected,
  anyOf: (options: Schema[], value: unknown) => options.some((option) => problemOf(option, value, '') === undefined),
  required: (names: string[], value: object) => names.every((name) => Object.hasOwn(value, name)),
  minimum: (limit: number, value: number) => value >= limit,
  maximum: (limit: number, value: number) => value <= limit,
  exclusiveMinimum: (limit: number, value: number) => value > limit,
  minLength: (limit: number, value: string) => value.length >= limit,
  maxLength: (limit: number, value: string) => value.length <= limit,
  pattern: (pattern: string, value: string) => new RegExp(pattern).test(value),
  format: () => true,
  minItems: (limit: number, value: unknown[]) => value.length >= limit,
  maxItems: (limit: number, value: unknown[]) => value.length <= limit,
  maxProperties: (limit: number, value: object) => Object.keys(value).length <= limit,
  additionalProperties: (allowed: boolean, value: object, schema) =>
    allowed || Object.keys(value).every((name) => childOf(schema, name) !== undefined),
  // Looked at value by value below.
  ...{ properties: () => true, patternProperties: () => true, items: () => true },
};

function problemOf(schema: Schema, value: unknown, path: string): Problem | undefined {
  for (const [keyword, limit] of Object.entries(schema)) {
    const rule = RULES[keyword];
    if (rule !== undefined && !rule(limit as never, value as never, schema)) {
      return { instancePath: path, message: `does not fit ${keyword}` };
    }
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, each] of Object.entries(value)) {
    const child = Array.isArray(value) ? (schema['items'] as Schema | undefined) : childOf(schema, name);
    const problem = child && problemOf(child, each, `${path}/${name}`);
    if (problem) return problem;
  }
  return undefined;
}

function childOf(schema: Schema, name: string): Schema | undefined {
  const properties = schema['properties'] as Readonly<Record<string, Schema>> | undefined;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  const patterns = Object.entries((schema['patternProperties'] ?? {}) as Readonly<Record<string, Schema>>);
  return patterns.find(([pattern]) => new RegExp(pattern).test(name))?.[1];
}

function typeFits(type: string, value: unknown): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

function assertKnown(schema: Schema): void {
  for (const [keyword, value] of Object.entries(schema)) {
    if (RULES[keyword] === undefined && !NOTES.has(keyword) && !keyword.startsWith('~')) {
      throw new Error(`the page's checker does not know the keyword ${keyword}`);
    }
    if (keyword === 'anyOf') (value as Schema[]).forEach(assertKnown);
    if (keyword === 'items') assertKnown(value as Schema);
    if (keyword === 'properties' || keyword === 'patternProperties')
      Object.values(value as Schema).forEach((each) => assertKnown(each as Schema));
  }
}
