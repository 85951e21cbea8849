/**
 * Stands in for `typebox` in the page's build (see `vite.config.ts`): the makers of schemas that our messages use. TypeBox
 * carries a whole type system of which a page needs nothing; types are still checked against TypeBox's own.
 */
type Schema = Readonly<Record<string, unknown>>;

const optional = new WeakSet<Schema>();

const plain =
  (type: string) =>
  (options: Schema = {}): Schema => ({ type, ...options });

export const Type = {
  String: plain('string'),
  Number: plain('number'),
  Integer: plain('integer'),
  Boolean: plain('boolean'),
  Null: plain('null'),
  Unknown: (options: Schema = {}): Schema => ({ ...options }),
  Literal: (value: string | number | boolean): Schema => ({ type: typeof value, const: value }),
  Union: (anyOf: readonly Schema[], options: Schema = {}): Schema => ({ anyOf, ...options }),
  Array: (items: Schema, options: Schema = {}): Schema => ({ type: 'array', items, ...options }),
  Unsafe: (schema: Schema): Schema => schema,
  Optional: (schema: Schema): Schema => {
    const copy = { ...schema };
    optional.add(copy);
    return copy;
  },
  Object: (properties: Readonly<Record<string, Schema>>, options: Schema = {}): Schema => {
    const required = Object.entries(properties).flatMap(([name, each]) => (optional.has(each) ? [] : [name]));
    return { type: 'object', ...(required.length > 0 ? { required } : {}), properties, ...options };
  },
  Record: (key: Schema, value: Schema, options: Schema = {}): Schema => ({
    type: 'object',
    patternProperties: { [typeof key['pattern'] === 'string' ? key['pattern'] : '^.*$']: value },
    ...options,
  }),
};
