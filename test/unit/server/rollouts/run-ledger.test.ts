import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunLedger } from '../../../../server/rollouts/run-ledger.ts';
import type { ScoredEpisode } from '../../../../server/store/records.ts';

const SHORT = 'metaworld/push-v3';
const LONG = 'dmcontrol/walker-walk';

const ledgerOf = (past: ScoredEpisode[] = []): RunLedger =>
  new RunLedger({
    run: 'a',
    request: {
      ...{ kind: 'evaluate', tasks: [SHORT, LONG], episodes: 2, protocol: 'l2m-paper', seed: 1 },
      ...{ policy: { kind: 'zero' }, firstStart: 0, horizon: null },
    },
    policy: 'zero',
    past,
    planned: [SHORT, LONG].map((task) => ({ task, episodes: 2 })),
    horizons: new Map([
      [SHORT, 200],
      [LONG, 1000],
    ]),
  });

const ended = (task: string, start: number): ScoredEpisode => ({
  ...{ task, start, attempt: 1, return: 1, successAtEnd: null, firstSuccessStep: null },
  ...{ outcome: 'scored', length: task === LONG ? 1000 : 200 },
});

describe('the time left of a run', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('is unknown before an episode has ended', () => {
    vi.advanceTimersByTime(5000);
    expect(ledgerOf().summary().secondsLeft).toBeNull();
  });

  it('counts steps, so that long episodes that come last are not taken for short ones', () => {
    const ledger = ledgerOf();
    vi.advanceTimersByTime(2000);
    ledger.add(ended(SHORT, 0));
    // 100 steps a second; 200 + 2,000 are owed.
    expect(ledger.summary()).toMatchObject({ stepsPerSecond: 100, secondsLeft: 22 });
    ledger.add(ended(SHORT, 1));
    expect(ledger.summary()).toMatchObject({ stepsPerSecond: 200, secondsLeft: 10 });
    ledger.add(ended(LONG, 0));
    ledger.add(ended(LONG, 1));
    expect(ledger.summary().secondsLeft).toBe(0);
  });

  it('knows only the speed of this session after a resume', () => {
    const ledger = ledgerOf([ended(SHORT, 0), ended(SHORT, 1)]);
    vi.advanceTimersByTime(4000);
    expect(ledger.summary().secondsLeft).toBeNull();
    ledger.add(ended(LONG, 0));
    expect(ledger.summary()).toMatchObject({ stepsPerSecond: 250, secondsLeft: 4 });
  });
});
