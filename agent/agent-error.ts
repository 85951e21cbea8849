import { severityOf, wireError, type ErrorCode, type ErrorSeverity } from '../protocol/error-codes.ts';

/** A failure with a stable code of the one error table; the message names what was got, the hint what to do. */
export class AgentError extends Error {
  readonly code: ErrorCode;
  readonly got: string;
  readonly hint: string;
  readonly severity: ErrorSeverity;

  constructor(code: ErrorCode, got: string) {
    const { message, hint } = wireError(code, got);
    super(message);
    this.name = 'AgentError';
    this.code = code;
    this.got = got;
    this.hint = hint;
    this.severity = severityOf(code);
  }
}
