import { describe, expect, it } from 'vitest';
import type { PageEvent, PageRequest } from '../../../../protocol/dashboard-messages.ts';
import { PolicyFeed } from '../../../../dashboards/policy/policy-feed.ts';
import { SelectionHistory } from '../../../../dashboards/policy/selection-history.ts';
import type { LiveFrames } from '../../../../dashboards/live-frames.ts';
import { policyEvents } from '../../../support/golden-policy.ts';

type PolicyEvent = Extract<PageEvent, { type: 'decision' | 'pool' | 'no-decision' }>;

const golden = (name: string) => {
  const found = policyEvents().find((each) => each.name === `page-event-${name}`)!;
  return { event: found.message as PolicyEvent, frames: found.frames };
};

function watching(key: string | null): { feed: PolicyFeed; sent: PageRequest[] } {
  const sent: PageRequest[] = [];
  const feed = new PolicyFeed((request) => sent.push(request));
  if (key !== null) feed.watch(key, null);
  return { feed, sent };
}

describe('PolicyFeed', () => {
  it('shows the watched decision, confirms every message, and keeps what was asked for and earned by step', () => {
    const { feed, sent } = watching('worker-0:3');
    const { event, frames } = golden('decision');
    feed.received(event, frames);
    expect(sent.at(-1)).toEqual({ type: 'acknowledge-policy', number: 9 });
    expect(feed.decision.value).toMatchObject({ step: 212, bins: 3, prompts: 0 });
    expect([...feed.trail.returnsToGo]).toEqual([
      [211, 400.5],
      [212, 398],
    ]);
    // The reward of the newest action is not known yet; that of the one before came with step 212.
    expect([...feed.trail.rewards]).toEqual([[212, 2.5]]);
    expect(feed.trail.queries).toEqual([[0.5, -0.25]]);
    feed.received({ ...event, episode: 18 } as PolicyEvent, frames);
    expect(feed.trail.queries).toHaveLength(1);
  });

  it('does not show what it no longer watches, but confirms it', () => {
    const { feed, sent } = watching('worker-0:0');
    const { event, frames } = golden('decision');
    feed.received(event, frames);
    expect(feed.decision.value).toBeNull();
    expect(sent.at(-1)).toMatchObject({ type: 'acknowledge-policy' });
  });

  it('asks a server again that it is connected to anew, and only while it watches', () => {
    const { feed, sent } = watching('worker-0:3');
    feed.welcomed();
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual({ type: 'watch-policy', key: 'worker-0:3', attention: null });
    feed.watch(null, null);
    feed.welcomed();
    expect(sent).toHaveLength(3);
  });

  it('says why there is nothing to see until there is something', () => {
    const { feed } = watching('worker-0:3');
    feed.received(golden('no-decision').event, []);
    expect(feed.reason.value).toContain('Zufall');
    const { event, frames } = golden('decision');
    feed.received(event, frames);
    expect(feed.reason.value).toBe('');
    feed.received(golden('no-decision').event, []);
    expect(feed.decision.value).toBeNull();
  });
});

describe('SelectionHistory', () => {
  const live = (selections: Record<string, number>) =>
    ({
      environments: new Map(
        Object.entries(selections).map(([key, selection]) => [key, { numbers: { selection } }] as const),
      ),
    }) as unknown as Pick<LiveFrames, 'environments'>;

  it('keeps a minute in columns, also of environments that came late, and forgets those that went', () => {
    const history = new SelectionHistory();
    history.sample(live({ a: 1 }), 0);
    history.sample(live({ a: 9 }), 100);
    history.sample(live({ a: 2, b: 7 }), 600);
    expect([...history.rows]).toEqual([
      ['a', [1, 2]],
      ['b', [-1, 7]],
    ]);
    for (let step = 1; step < 300; step++) history.sample(live({ b: step }), 600 + 500 * step);
    expect([...history.rows.keys()]).toEqual(['b']);
    expect(history.rows.get('b')).toHaveLength(120);
    expect(history.rows.get('b')?.at(-1)).toBe(299);
  });
});
