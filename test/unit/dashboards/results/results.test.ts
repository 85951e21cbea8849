import { describe, expect, it } from 'vitest';
import { curvesOf } from '../../../../dashboards/results/curves.ts';
import { pointsWords, pWords, verdictOf } from '../../../../dashboards/results/difference-words.ts';
import {
  addressWithChosen,
  chosenInAddress,
  runsPath,
  withLive,
  type RunRow,
} from '../../../../dashboards/results/run-rows.ts';
import { runSummary } from '../../server/live/samples.ts';

const row: RunRow = {
  ...{ run: 'run-1', kind: 'evaluate', state: 'running', policy: 'mt10', protocol: 'official-v3', seed: 1 },
  ...{ plannedEpisodes: 10, finishedEpisodes: 0, errorEpisodes: 0, message: '', startedAt: '' },
  ...{ judgedEpisodes: 0, successesAnyTime: 0, successesAtEnd: 0 },
};

describe('rows of the runs table', () => {
  it('are asked for by filter and order, without empty filters', () => {
    const query = { text: ' a&b ', kind: '', state: 'failed', sort: 'policy', ascending: true, limit: 20 } as const;
    expect(runsPath(query)).toBe('api/runs?text=a%26b&state=failed&sort=policy&order=ascending&limit=20');
  });

  it('take what came live since they were asked for', () => {
    const [fresh, other] = withLive([row, { ...row, run: 'run-2' }], [runSummary('run-1', { state: 'paused' })]);
    expect(fresh).toMatchObject({ state: 'paused', finishedEpisodes: 4, judgedEpisodes: 4, successesAtEnd: 3 });
    expect(other).toMatchObject({ run: 'run-2', finishedEpisodes: 0 });
  });

  it('are chosen in the address, which keeps everything else', () => {
    const address = addressWithChosen('http://x/?run=r&theme=dark&runs=old', ['a', 'b']);
    expect(address).toBe('http://x/?run=r&theme=dark&runs=a,b');
    expect(chosenInAddress(new URL(address).search)).toEqual(['a', 'b']);
    expect(addressWithChosen(address, [])).toBe('http://x/?run=r&theme=dark');
    expect(chosenInAddress('?runs=,a,,a')).toEqual(['a']);
  });
});

describe('curves', () => {
  it('put the held-out loss into the chart of the loss, on common steps', () => {
    const curves = curvesOf([
      { name: 'heldOutLoss', step: 2, value: 1.5 },
      { name: 'learningRate', step: 1, value: 0.0004 },
      { name: 'loss', step: 1, value: 2 },
      { name: 'loss', step: 2, value: 1 },
    ]);
    expect(curves.map(({ name }) => name)).toEqual(['learningRate', 'loss']);
    expect(curves[1]).toMatchObject({
      steps: [1, 2],
      series: [
        [2, 1],
        [null, 1.5],
      ],
      newest: '1.00 / 1.50',
      description: 'loss and loss on held-out episodes over 2 points to step 2, now 1.00 / 1.50',
    });
    expect(curves[0]?.newest).toBe('4.0e-4');
  });

  it('keep a held-out loss that comes alone, and unknown names', () => {
    expect(curvesOf([{ name: 'heldOutLoss', step: 1, value: 1 }])).toHaveLength(1);
    expect(curvesOf([{ name: 'something', step: 1, value: 1 }])[0]?.words).toBe('something');
    expect(curvesOf([])).toEqual([]);
  });
});

describe('differences in words', () => {
  const paired = {
    ...{ both: 0, gained: 6, lost: 0, neither: 0, difference: 1, interval: { low: 0.4, high: 1 } },
    ...{ pValue: 0.03, adjustedPValue: 0.03 },
  };

  it('never say p = 0 nor drop a sign', () => {
    expect([pWords(0.0000001), pWords(0.0312), pWords(1)]).toEqual(['p < 0.001', 'p = 0.031', 'p = 1.00']);
    expect([pointsWords(0.125), pointsWords(-0.5), pointsWords(-0.0001)]).toEqual(['+12.5', '−50.0', '±0.0']);
  });

  it('call a difference one only when the adjusted p says so', () => {
    expect(verdictOf(paired)).toBe('better');
    expect(verdictOf({ ...paired, gained: 0, lost: 6 })).toBe('worse');
    expect(verdictOf({ ...paired, adjustedPValue: 0.06 })).toBe('unclear');
  });
});
