import type { RecordingFacts, RecordingSections } from '../../../../server/recordings/recording-file.ts';

/** A recording of `length` steps with two bodies, numbers that no rounding survives, and a picture of every step. */
export function sampleRecording(changes: Partial<RecordingFacts> = {}): {
  readonly facts: RecordingFacts;
  readonly sections: Required<Pick<RecordingSections, 'poses' | 'rewards'>> & RecordingSections;
} {
  const length = 20;
  const facts: RecordingFacts = {
    ...{ run: 'run-a', episode: 'metaworld.reach-v3.0.1', task: 'metaworld/reach-v3', start: 0, attempt: 1 },
    ...{ seed: 7, protocol: 'official-v3', horizon: 50, actor: { kind: 'server' }, policy: 'random' },
    ...{ controlTimestep: 0.0125, observationSize: 39, actionSize: 2, length, return: 12.5, outcome: 'success' },
    ...{ firstSuccessStep: 9, scene: '', pictures: length + 1, poseRows: 2 },
    finishedAt: '2026-11-23T12:00:00.000Z',
    ...changes,
  };
  return {
    facts,
    sections: {
      rewards: Float64Array.from({ length }, (_, step) => Math.sin(step) / 3),
      executed: Float32Array.from({ length: length * 2 }, (_, index) => Math.cos(index)),
      flags: Uint8Array.from({ length }, (_, step) => (step >= 8 ? 4 : 0)),
      selections: Int16Array.from({ length }, (_, step) => step % 3),
      similarities: Float32Array.from({ length }, (_, step) => step / 30),
      observationChecks: Uint32Array.from({ length: length + 1 }, (_, step) => step * 0x0fffffff),
      poseSteps: Uint32Array.from({ length: length + 1 }, (_, step) => step),
      poses: Float32Array.from({ length: (length + 1) * 14 }, (_, index) => (index % 14 === 3 ? -0 : Math.sin(index))),
    },
  };
}
