import type { EpisodeRecord, NewRun } from '../../../../server/store/records.ts';

export function newRun(run: string, change: Partial<NewRun> = {}): NewRun {
  return {
    run,
    kind: 'evaluate',
    state: 'running',
    policy: 'mt10-small',
    checkpointHash: 'abc123',
    protocol: 'official-v3',
    seed: 42,
    tasks: [
      { task: 'metaworld/reach-v3', episodes: 5 },
      { task: 'dmcontrol/walker-walk', episodes: 1 },
    ],
    configuration: { workers: 2, nested: { text: 'quote \' and "' } },
    provenance: {
      versions: { node: '20.20.2', mujoco: '3.3.0' },
      command: ['l2m', 'evaluate', '--tasks', 'MT10'],
      gitCommit: null,
      host: { cpu: 'x', cores: 2 },
    },
    ...change,
  };
}

type Judged = Extract<EpisodeRecord, { outcome: 'success' | 'failure' }>;
type Scored = Extract<EpisodeRecord, { outcome: 'scored' }>;
type Failed = Extract<EpisodeRecord, { outcome: 'error' }>;

function common(run: string, length: number): Omit<Judged, 'outcome' | 'successes' | 'task'> {
  return {
    run,
    start: 0,
    attempt: 1,
    length,
    return: 10,
    selections: new Int16Array(length),
    similarityMean: 0.5,
    wallSeconds: 1.25,
    worker: 'worker-1',
    policyVersion: 7,
    finishedAt: new Date('2026-11-23T18:30:00.250Z'),
  };
}

/** An episode whose length and outcome follow from its success bits. */
export function metaworldEpisode(run: string, change: Partial<Judged> = {}): EpisodeRecord {
  const successes = change.successes ?? Uint8Array.from([0, 0, 0, 1, 1]);
  const outcome = successes.some((bit) => bit === 1) ? 'success' : 'failure';
  return { ...common(run, successes.length), task: 'metaworld/reach-v3', outcome, successes, ...change };
}

export function scoredEpisode(run: string, change: Partial<Scored> = {}): EpisodeRecord {
  return { ...common(run, 4), task: 'dmcontrol/walker-walk', outcome: 'scored', ...change };
}

export function errorEpisode(run: string, change: Partial<Failed> = {}): EpisodeRecord {
  const failure = { outcome: 'error', errorCode: 'L2M_SIMULATOR_FAULT', errorMessage: 'unstable' } as const;
  return { ...common(run, 2), task: 'metaworld/reach-v3', ...failure, ...change };
}
