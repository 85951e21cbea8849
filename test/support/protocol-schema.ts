import { PageEventSchema, PageRequestSchema } from '../../protocol/dashboard-messages.ts';
import { ERROR_TABLE } from '../../protocol/error-codes.ts';
import { WIRE_LIMITS } from '../../protocol/limits.ts';
import { ServerMessageSchema, STEP_FLAGS, WorkerMessageSchema } from '../../protocol/simulator-messages.ts';
import { TaskSpecSchema } from '../../protocol/task.ts';
import { DIMENSION_LIMITS, TENSOR_LAYOUTS } from '../../protocol/tensor-layouts.ts';
import { ITEM_BYTES, TensorSchema } from '../../protocol/tensor.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';

/** The unions of messages by direction; the names are those of `TENSOR_LAYOUTS`. */
export const DIRECTIONS = {
  worker: WorkerMessageSchema.anyOf,
  server: ServerMessageSchema.anyOf,
  pageEvent: PageEventSchema.anyOf,
  pageRequest: PageRequestSchema.anyOf,
} as const;

/** Where the generated file lives: the room it describes, and the Python package that ships a copy. */
export const SCHEMA_FILES = ['protocol/generated/schema.json', 'sim-bridge/src/sim_bridge/schema.json'] as const;

/**
 * One JSON Schema document of every message, with what JSON Schema cannot say under `x-l2m-` keys.
 * Message definitions are named `<direction>.<type>`; schemas with an `$id` become shared definitions of that name.
 */
export function protocolSchema(): Record<string, unknown> {
  const definitions: Record<string, unknown> = {};
  const shared = { Tensor: TensorSchema, TaskSpec: TaskSpecSchema };
  for (const [name, schema] of Object.entries(shared)) definitions[name] = withReferences(schema, true);
  for (const [direction, schemas] of Object.entries(DIRECTIONS)) {
    for (const schema of schemas) definitions[`${direction}.${schema.properties.type.const}`] = withReferences(schema);
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Messages of the l2m wire protocol',
    description: 'Generated from protocol/*.ts by test/support/generate-schema.ts; do not edit.',
    'x-l2m-version': PROTOCOL_VERSION,
    'x-l2m-limits': WIRE_LIMITS,
    'x-l2m-item-bytes': ITEM_BYTES,
    'x-l2m-step-flags': STEP_FLAGS,
    'x-l2m-dimension-limits': DIMENSION_LIMITS,
    'x-l2m-tensor-layouts': TENSOR_LAYOUTS,
    'x-l2m-errors': ERROR_TABLE,
    $defs: definitions,
  };
}

/** A plain copy in which schemas with an `$id` are replaced by a reference, except at the top where `isShared`. */
function withReferences(schema: unknown, isShared = false): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withReferences(item));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $id, ...rest } = schema as Record<string, unknown>;
  if (typeof $id === 'string' && !isShared) return { $ref: `#/$defs/${$id}` };
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, withReferences(value)]));
}
