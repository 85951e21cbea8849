/** Appends episodes for ever and tells the parent how many are kept; the parent kills it. */
import { openTrajectoryWriter } from '../../../../server/learning/trajectory-writer.ts';

const writer = await openTrajectoryWriter({
  folder: process.argv[2] ?? '',
  task: 'metaworld/reach-v3',
  source: 'expert',
  spec: {
    task: 'metaworld/reach-v3',
    observation: [{ name: 'state', size: 3 }],
    actionSize: 2,
    controlTimestep: 0.0125,
    reportsSuccess: true,
    hasExpert: true,
  },
  provenance: { identity: { seed: 1, protocol: 'l2m-paper' }, notes: {} },
});

for (let start = 0; start < 100_000; start++) {
  const steps = 200;
  const durable = writer.append({
    start,
    noise: 0,
    observations: new Float32Array(steps * 3).fill(start),
    actions: new Float32Array(steps * 2),
    targets: new Float32Array(steps * 2),
    rewards: new Float32Array(steps),
    successes: new Uint8Array(steps),
  });
  process.send?.(start + 1);
  await durable;
}
