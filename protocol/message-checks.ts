import { Compile, type Validator } from 'typebox/compile';
import type { TSchema } from 'typebox';
import type { MessageLayout } from './tensor-layouts.ts';

interface MessageSchema extends TSchema {
  readonly properties: { readonly type: { readonly const: string } };
}

/** One kind of message: how to check it, and what its tensors look like. */
export interface MessageCheck {
  readonly type: string;
  readonly layout: MessageLayout;
  /** Where and how a message misses its schema, or nothing. */
  fault(message: unknown): string | undefined;
}

export interface MessageChecks {
  find(type: unknown): MessageCheck | undefined;
  unknownType(type: unknown): string;
}

const NO_TENSORS: MessageLayout = {};
const LONGEST_SHOWN = 60;
const MOST_NAMED = 8;

/** The checks of every message of one direction, chosen by `type`, so that a fault is about the message that was meant. */
export function messageChecks(
  schemas: readonly MessageSchema[],
  layouts: Readonly<Record<string, MessageLayout>>,
): MessageChecks {
  const checks = new Map<unknown, MessageCheck>();
  for (const schema of schemas) {
    const type = schema.properties.type.const;
    checks.set(type, messageCheck(schema, layouts[type] ?? NO_TENSORS));
  }
  return {
    find: (type) => checks.get(type),
    unknownType: (type) => `type is ${describe(type)}, expected one of ${[...checks.keys()].join(', ')}`,
  };
}

/** Compiles at first use: a page or a command needs few of the messages, and each costs milliseconds. */
function messageCheck(schema: MessageSchema, layout: MessageLayout): MessageCheck {
  let validator: Validator | undefined;
  const type = schema.properties.type.const;
  return {
    type,
    layout,
    fault(message) {
      validator ??= Compile(schema as TSchema);
      return validator.Check(message) ? undefined : type + schemaFault(validator, message);
    },
  };
}

/** The first fault; a union counts as one fault that names the constants it allows. */
function schemaFault(validator: Validator, message: unknown): string {
  const errors = validator.Errors(message).filter((error) => error.keyword !== 'boolean');
  const first = errors[0];
  if (first === undefined) return ' does not fit its schema';
  const path = first.instancePath.replaceAll('/', '.');
  const got = describe(valueAt(message, first.instancePath));
  if (first.keyword === 'required') {
    return `${path} must have ${first.params.requiredProperties.slice(0, MOST_NAMED).join(', ')}`;
  }
  if (first.keyword === 'additionalProperties') {
    const names = first.params.additionalProperties.slice(0, MOST_NAMED).map(shortened);
    return `${path} must not have ${names.join(', ')}`;
  }
  if (first.keyword === 'const') {
    const allowed = errors.flatMap((error) =>
      error.keyword === 'const' && error.instancePath === first.instancePath
        ? [JSON.stringify(error.params.allowedValue)]
        : [],
    );
    return `${path} must be ${allowed.join(' or ')}, got ${got}`;
  }
  return `${path} ${first.message}, got ${got}`;
}

function valueAt(message: unknown, pointer: string): unknown {
  let value = message;
  for (const key of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** A foreign value in a few words, however large it is. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(value));
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === null) return 'null';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined ? 'nothing' : 'an object';
}

function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}
