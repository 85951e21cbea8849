import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { severityOf, type ErrorCode } from '../../protocol/error-codes.ts';
import { errorFromUnknown, L2mError, nearestName } from '../errors.ts';
import { logFailure, type Log } from '../telemetry/log.ts';
import type { ErrorReply } from './schemas.ts';

const STATUS: Partial<Record<ErrorCode, number>> = {
  L2M_TOKEN_REFUSED: 401,
  L2M_ROLE_INSUFFICIENT: 403,
  L2M_ORIGIN_REFUSED: 403,
  L2M_RUN_UNKNOWN: 404,
  L2M_RECORDING_UNKNOWN: 404,
  L2M_ROUTE_UNKNOWN: 404,
  L2M_RUN_STATE: 409,
  L2M_RUN_MISMATCH: 409,
  L2M_REPLAY_DIFFERENT: 409,
  L2M_CHECKPOINT_INVALID: 422,
  L2M_TASK_UNKNOWN: 422,
  L2M_TASK_UNSUPPORTED: 422,
  L2M_START_UNKNOWN: 422,
  L2M_STORE_UNWRITABLE: 507,
};

/** The table's severities in HTTP's words, where no code asks for more. */
export function statusOf(code: ErrorCode): number {
  const status = STATUS[code];
  if (status !== undefined) return status;
  switch (severityOf(code)) {
    case 'refused':
      return 400;
    case 'retry':
      return 503;
    case 'fatal':
      return 500;
  }
}

/** Answers every failure in one form; what is not the caller's fault is logged here, once. */
export function installErrorReplies(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    const { error, status } = understood(thrown, request);
    if (status >= 500) logFailure(log, error, { method: request.method, route: request.routeOptions.url });
    return sendError(reply, error, status);
  });
}

export function sendError(reply: FastifyReply, error: L2mError, status = statusOf(error.code)): FastifyReply {
  const body: ErrorReply = { ...error.toWire() };
  if (error.correlationId !== undefined) body.correlationId = error.correlationId;
  return reply.code(status).type('application/json').send(body);
}

function understood(thrown: FastifyError, request: FastifyRequest): { error: L2mError; status: number } {
  if (thrown.validation !== undefined) return { error: invalidRequest(thrown, request), status: 400 };
  const status = thrown.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    // Fastify's own refusals: body too large, not JSON, unknown media type.
    return { error: new L2mError('L2M_REQUEST_INVALID', lowerFirst(thrown.message)), status };
  }
  const error = errorFromUnknown(thrown);
  return { error, status: statusOf(error.code) };
}

function invalidRequest(thrown: FastifyError, request: FastifyRequest): L2mError {
  const part = thrown.validationContext ?? 'request';
  const [first] = thrown.validation ?? [];
  const extra = first?.params['additionalProperty'];
  if (typeof extra !== 'string') {
    const place = `${part}${(first?.instancePath ?? '').replaceAll('/', '.')}`;
    return new L2mError('L2M_REQUEST_INVALID', `${place} ${first?.message ?? ''}${choices(first?.params)}`.trim());
  }
  const nearest = nearestName(extra, propertiesOf(request, part));
  const got = `${part} has no "${extra.slice(0, 120)}"${nearest === undefined ? '' : `, did you mean ${nearest}?`}`;
  return new L2mError('L2M_REQUEST_INVALID', got);
}

function choices(params: Readonly<Record<string, unknown>> | undefined): string {
  const allowed = params?.['allowedValues'] ?? params?.['allowedValue'];
  return allowed === undefined ? '' : ` (${JSON.stringify(allowed)})`;
}

function propertiesOf(request: FastifyRequest, part: string): string[] {
  const schemas: Readonly<Record<string, unknown>> = { ...request.routeOptions.schema };
  const schema = schemas[part];
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return [];
  return Object.keys(schema.properties ?? {});
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
