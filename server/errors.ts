import { randomBytes } from 'node:crypto';
import { closest, distance } from 'fastest-levenshtein';
import { AgentError } from '../agent/agent-error.ts';
import { severityOf, wireError, type ErrorCode, type ErrorSeverity, type WireError } from '../protocol/error-codes.ts';

export interface L2mErrorOptions {
  /** What was caught; logged, never sent to a peer. */
  readonly cause?: unknown;
  /** Replaces the table's hint where the place of the failure knows better. */
  readonly hint?: string;
}

/**
 * A failure with a code of the error table. `got` fills the table's message and reaches peers: no secrets, no stack.
 * For `L2M_INTERNAL` it is a correlation id, which is all that a peer learns; the log has the cause beside it.
 */
export class L2mError extends Error {
  override readonly name = 'L2mError';
  readonly code: ErrorCode;
  readonly got: string;
  readonly hint: string;

  constructor(code: ErrorCode, got: string, options: L2mErrorOptions = {}) {
    const wire = wireError(code, got);
    super(wire.message, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.got = got;
    this.hint = options.hint ?? wire.hint;
  }

  get severity(): ErrorSeverity {
    return severityOf(this.code);
  }

  /** The id to look for in the log; only internal errors have one. */
  get correlationId(): string | undefined {
    return this.code === 'L2M_INTERNAL' ? this.got : undefined;
  }

  toWire(): WireError {
    return { code: this.code, message: this.message, hint: this.hint };
  }
}

/** Ten characters that a person can read out: they tie an answer to its line in the log. */
export function newCorrelationId(): string {
  return randomBytes(5).toString('hex');
}

/** Any thrown value as an L2mError; what is not one yet becomes `L2M_INTERNAL` with a fresh correlation id. */
export function errorFromUnknown(value: unknown): L2mError {
  if (value instanceof L2mError) return value;
  if (value instanceof AgentError) return new L2mError(value.code, value.got, { cause: value, hint: value.hint });
  return new L2mError('L2M_INTERNAL', newCorrelationId(), { cause: value });
}

/** An error about a name that does not exist; the hint names the nearest known one if it is near enough. */
export function unknownNameError(code: ErrorCode, name: string, known: readonly string[]): L2mError {
  const shown = name.length > 120 ? `${name.slice(0, 120)}…` : name;
  const suggestion = nearestName(name, known);
  const got = JSON.stringify(shown);
  return suggestion === undefined
    ? new L2mError(code, got)
    : new L2mError(code, got, { hint: `Did you mean ${suggestion}? ${wireError(code, got).hint}` });
}

/** The known name nearest to `name`, or undefined if none shares at least about two thirds of its letters. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || name.length > 120) return undefined;
  const nearest = closest(name, known);
  const allowed = Math.max(2, Math.floor(Math.max(name.length, nearest.length) / 3));
  return distance(name, nearest) <= allowed ? nearest : undefined;
}
