import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupSize } from '../../../../agent/experts/expert-shape.ts';
import { randomSource } from '../../../../agent/random.ts';
import type { LiveServer } from '../../../../server/build-server.ts';
import { openCollection, type CollectionOptions } from '../../../../server/collecting/collection.ts';
import { EXPERT_FORMAT, writeExpert } from '../../../../server/experts/expert-file.ts';
import { expertFolder, expertPath } from '../../../../server/experts/find-expert.ts';
import { readTrajectories } from '../../../../server/learning/trajectory-reader.ts';
import { liveServer } from '../../../support/live-server.ts';
import { writeRandomCheckpoint } from '../../../support/random-checkpoint.ts';

const TASK = 'dmcontrol/cartpole-balance';
const shape = { observationSize: 5, actionSize: 1, hidden: [8] };
let server: LiveServer;

beforeAll(async () => {
  server = await liveServer({ environments: 3 });
  await ownExpert(1);
});
afterAll(() => server.close());

/** An actor nobody trained: what it does is arbitrary, but a function of what it sees. */
async function ownExpert(seed: number, actionRepeat = 1): Promise<void> {
  const random = randomSource(seed);
  const actor = Float32Array.from({ length: groupSize('actor', shape) }, () => random.normal() / 2);
  await writeExpert(
    expertPath(expertFolder(server.config.data, TASK, 'sac')),
    {
      ...{
        format: EXPERT_FORMAT,
        task: TASK,
        shape,
        actionRepeat,
        steps: 1,
        updates: 0,
        meanReturn: 0,
        episodes: 1,
      },
      ...{ settings: {}, command: '', versions: {} },
    },
    actor,
  );
}

function options(changes: Partial<CollectionOptions> = {}): CollectionOptions {
  return {
    ...{ tasks: [TASK, 'metaworld/reach-v3'], episodes: 4, firstStart: 0, noises: [0, 0.3], variant: 'scripted' },
    ...{ seed: 5, horizon: 30, source: 'mixed', trajectories: join(server.config.data, 'trajectories') },
    ...{ overwrite: false, ...changes },
  };
}

async function collected(changes: Partial<CollectionOptions> = {}) {
  const collection = await openCollection(server, options(changes));
  const { skip, take } = collection;
  const { finishedEpisodes } = await (await server.runs.start(collection.request, { skip, take })).over;
  const files = await collection.finish();
  return { finishedEpisodes, files, data: await readTrajectories(files[0]?.path ?? '') };
}

describe('a collection', () => {
  it('keeps what trained and scripted experts did, and what they would have done without noise', async () => {
    const { files, data } = await collected();
    expect(files.map(({ episodes, transitions }) => [episodes, transitions])).toEqual([
      [4, 120],
      [4, 120],
    ]);
    expect([...data.starts]).toEqual([0, 1, 2, 3]);
    expect([...data.noises].map((noise) => Math.round(noise * 10) / 10)).toEqual([0, 0.3, 0, 0.3]);
    expect(data.actions.slice(0, 30)).toEqual(data.targets.slice(0, 30));
    const noise = Array.from(data.actions.slice(30, 60), (action, i) => action - data.targets[30 + i]!);
    const deviation = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0) / noise.length);
    // Thirty draws of deviation 0.3, a few of them cut off at the limit of an action.
    expect(deviation).toBeGreaterThan(0.15);
    expect(deviation).toBeLessThan(0.45);
    // The expert acts on what it sees.
    expect(new Set(data.targets).size).toBeGreaterThan(100);
    expect(data.head.provenance.identity['policy']).toMatch(/^expert [0-9a-f]{16}$/);
  });

  it('gives the same bytes again, and adds what is missing when it is called again', async () => {
    const again = await collected({ source: 'again' });
    const part = await collected({ source: 'parts', episodes: 1 });
    expect(part.files[0]?.episodes).toBe(1);
    const rest = await collected({ source: 'parts' });
    expect(rest.finishedEpisodes).toBe(6);
    expect(rest.data.actions).toEqual(again.data.actions);
    expect(rest.data.observations).toEqual(again.data.observations);
  });

  it('has an expert that holds its actions decide at every step when asked to', async () => {
    await ownExpert(1, 2);
    const noises = [0];
    const held = await collected({ source: 'held', episodes: 1, noises });
    const decided = await collected({ source: 'every-step', episodes: 1, noises, decides: 'every-step' });
    const repeats = ({ data }: typeof held) =>
      Array.from({ length: 15 }, (_, pair) => data.targets[2 * pair] === data.targets[2 * pair + 1]);
    expect(repeats(held)).not.toContain(false);
    expect(repeats(decided)).not.toContain(true);
    // Mixing both in one data set of the task is refused; scripts know no such difference.
    await expect(openCollection(server, options({ source: 'held', noises, decides: 'every-step' }))).rejects.toThrow(
      TASK,
    );
    const scripts = ['metaworld/reach-v3'] as const;
    await collected({ tasks: scripts, source: 'scripts', episodes: 1 });
    await collected({ tasks: scripts, source: 'scripts', episodes: 2, decides: 'every-step' });
    await ownExpert(1);
  });

  it('refuses another expert, and variants that trained experts do not have', async () => {
    await collected({ source: 'first', episodes: 1 });
    await ownExpert(2);
    await expect(openCollection(server, options({ source: 'first' }))).rejects.toMatchObject({
      code: 'L2M_DATA_INVALID',
    });
    await expect(openCollection(server, options({ variant: 'keep-goal' }))).rejects.toMatchObject({
      code: 'L2M_TASK_UNSUPPORTED',
    });
  });

  it('lets a student act, while experts of both kinds say what should be done where it comes to', async () => {
    const noises = [0];
    const by = async (changes: Partial<CollectionOptions>) => {
      const { files } = await collected({ noises, episodes: 2, ...changes });
      return Promise.all(files.map(({ path }) => readTrajectories(path)));
    };
    const [student, other] = ['student', 'other-student'].map((name) => join(server.config.data, name)) as [
      string,
      string,
    ];
    await writeRandomCheckpoint(student, 3);
    await writeRandomCheckpoint(other, 4);
    const alone = await by({ source: 'alone' });
    const advised = await by({ source: 'advised', student });
    const again = await by({ source: 'advised-again', student });
    alone.forEach((expert, task) => {
      const taught = advised[task]!;
      const { observationSize, actionSize } = taught.sizes;
      // Both begin at the same place, where the expert would do the same; then the student goes its own way.
      expect(taught.observations.slice(0, observationSize)).toEqual(expert.observations.slice(0, observationSize));
      expect(taught.targets.slice(0, actionSize)).toEqual(expert.targets.slice(0, actionSize));
      expect(taught.actions.slice(0, actionSize)).not.toEqual(expert.actions.slice(0, actionSize));
      expect(taught.observations).not.toEqual(expert.observations);
      const apart = taught.actions.reduce((sum, action, i) => sum + Math.abs(action - taught.targets[i]!), 0);
      expect(apart / taught.actions.length).toBeGreaterThan(0.1);
      expect(new Set(taught.targets).size).toBeGreaterThan(30);
      expect(again[task]!.actions).toEqual(taught.actions);
      expect(taught.head.provenance.identity['student']).toMatch(/^[0-9a-f]{64}$/);
      expect(expert.head.provenance.identity['student']).toBeUndefined();
    });
    await expect(openCollection(server, options({ noises, source: 'advised', student: other }))).rejects.toMatchObject({
      code: 'L2M_DATA_INVALID',
    });
  });
});
