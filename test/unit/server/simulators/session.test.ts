import { describe, expect, it } from 'vitest';
import type { Hello } from '../../../../protocol/simulator-messages.ts';
import { PROTOCOL_VERSION } from '../../../../protocol/version.ts';
import {
  afterHearing,
  afterHello,
  afterSlotEvent,
  overdue,
  type ReadySession,
} from '../../../../server/simulators/session.ts';

const hello: Hello = {
  type: 'hello',
  protocol: { ...PROTOCOL_VERSION },
  workerId: 'w',
  processId: 1,
  engine: 'python',
  versions: {},
  environments: 2,
  tasks: ['metaworld/reach-v3'],
};
const deadlines = { livenessMs: 3000, stepMs: 1000, startMs: 5000 };

function ready(): ReadySession {
  const outcome = afterHello(hello, 0);
  if (!outcome.accepted) throw new Error('refused');
  return outcome.session;
}

describe('the session of a worker', () => {
  it('refuses another major version and says which it was', () => {
    expect(afterHello({ ...hello, protocol: { major: 99, minor: 1 } }, 0)).toEqual({
      accepted: false,
      theirVersion: '99.1',
    });
  });

  it('starts with all environments free', () => {
    expect(ready().slots).toEqual([{ state: 'free' }, { state: 'free' }]);
  });

  it('takes an environment that does not exist as a breach of protocol', () => {
    expect(afterSlotEvent(ready(), 2, { type: 'assigned', episode: 1, nowMs: 0 }).verdict).toBe('illegal');
  });

  it('is overdue when it is silent, and no longer when it is heard', () => {
    expect(overdue(ready(), 3001, deadlines)).toContain('silent');
    expect(overdue(afterHearing(ready(), 2000), 3001, deadlines)).toBeUndefined();
  });

  it('is overdue when one environment hangs in a step although heartbeats arrive', () => {
    let session = afterSlotEvent(ready(), 1, { type: 'assigned', episode: 1, nowMs: 0 }).session;
    expect(overdue(afterHearing(session, 4000), 4000, deadlines)).toBeUndefined();
    expect(overdue(afterHearing(session, 5001), 5001, deadlines)).toContain('to start');
    session = afterSlotEvent(session, 1, { type: 'row', episode: 1, step: 0, last: false }).session;
    session = afterSlotEvent(session, 1, { type: 'acted', episode: 1, nowMs: 6000 }).session;
    expect(overdue(afterHearing(session, 7001), 7001, deadlines)).toContain('step 1');
  });

  it('never counts the time the server thinks against the worker', () => {
    let session = afterSlotEvent(ready(), 0, { type: 'assigned', episode: 1, nowMs: 0 }).session;
    session = afterSlotEvent(session, 0, { type: 'row', episode: 1, step: 0, last: false }).session;
    expect(overdue(afterHearing(session, 900_000), 900_000, deadlines)).toBeUndefined();
  });
});
