import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../protocol/error-codes.ts';
import { errorFromUnknown, L2mError, nearestName, unknownNameError } from '../../../server/errors.ts';

describe('L2mError', () => {
  it('has a filled message and a hint for every code of the table', () => {
    for (const code of Object.keys(ERROR_TABLE) as ErrorCode[]) {
      const wire = new L2mError(code, 'the $& thing').toWire();
      expect(wire.code).toBe(code);
      expect(wire.message).toContain('the $& thing');
      expect(wire.message).not.toContain('%s');
      expect(wire.hint.length).toBeGreaterThan(10);
    }
  });

  it('passes one of its own on and keeps the cause of anything else away from peers', () => {
    const own = new L2mError('L2M_RUN_UNKNOWN', 'x');
    expect(errorFromUnknown(own)).toBe(own);
    const cause = new Error('password=hunter2 at /home/me/file.ts:3');
    const internal = errorFromUnknown(cause);
    expect(internal.cause).toBe(cause);
    expect(internal.correlationId).toMatch(/^[0-9a-f]{10}$/);
    expect(JSON.stringify(internal.toWire())).not.toContain('hunter2');
    expect(internal.message).toContain(internal.correlationId);
    expect(errorFromUnknown('text thrown').code).toBe('L2M_INTERNAL');
    expect(own.correlationId).toBeUndefined();
  });

  it('suggests the nearest name only if it is near', () => {
    const tasks = ['metaworld/reach-v3', 'metaworld/push-v3', 'dmcontrol/walker-walk'];
    expect(nearestName('metaworld/raech-v3', tasks)).toBe('metaworld/reach-v3');
    expect(nearestName('qqqqqqq', tasks)).toBeUndefined();
    expect(nearestName('x', [])).toBeUndefined();
    expect(unknownNameError('L2M_TASK_UNKNOWN', 'metaworld/raech-v3', tasks).hint).toMatch(
      /^Did you mean metaworld\/reach-v3\? /,
    );
    expect(unknownNameError('L2M_TASK_UNKNOWN', 'zzz', tasks).hint).toBe(ERROR_TABLE.L2M_TASK_UNKNOWN.hint);
  });

  it('cuts a name of any length before showing it', () => {
    expect(unknownNameError('L2M_TASK_UNKNOWN', 'y'.repeat(1_000_000), ['x']).message.length).toBeLessThan(200);
  });
});
