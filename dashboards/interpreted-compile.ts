import type { TSchema } from 'typebox';
import { Check, Errors } from 'typebox/schema';

/**
 * Stands in for `typebox/compile` in the page's build (see `vite.config.ts`): the same checks, walked instead of compiled.
 * A page reads some thirty messages a second; compiling would cost more than it saves.
 */
export function Compile(schema: TSchema) {
  return {
    Check: (value: unknown): boolean => Check(schema, value),
    Errors: (value: unknown) => Errors(schema, value)[1],
  };
}
