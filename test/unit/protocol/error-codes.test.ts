import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, severityOf, wireError, type ErrorCode } from '../../../protocol/error-codes.ts';

const codes = Object.keys(ERROR_TABLE) as ErrorCode[];

describe('error table', () => {
  it.each(codes)('%s has the form of a code, one place for what was got, and a hint', (code) => {
    const { message, hint, severity } = ERROR_TABLE[code];
    expect(code).toMatch(/^L2M_[A-Z]+(_[A-Z]+)*$/);
    expect(message.split('%s')).toHaveLength(2);
    expect(message).toMatch(/^[A-Z].*\.$/);
    expect(hint).toMatch(/[.]$/);
    expect(hint.length).toBeGreaterThan(10);
    expect(hint).not.toContain('%s');
    expect(['retry', 'refused', 'fatal']).toContain(severity);
    expect(severityOf(code)).toBe(severity);
  });

  it('fills the message with what was got, even if that looks like a pattern', () => {
    const error = wireError('L2M_TASK_UNKNOWN', "$& $1 %s $'");
    expect(error.message).toBe("There is no task or group called $& $1 %s $'.");
    expect(error.code).toBe('L2M_TASK_UNKNOWN');
    expect(error.hint).toBe(ERROR_TABLE.L2M_TASK_UNKNOWN.hint);
  });
});
