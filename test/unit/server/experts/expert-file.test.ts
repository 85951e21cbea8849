import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupSize } from '../../../../agent/experts/expert-shape.ts';
import {
  EXPERT_FORMAT,
  fitsExpert,
  readExpert,
  showsEvery,
  writeExpert,
  type ExpertAbout,
} from '../../../../server/experts/expert-file.ts';
import { findExpert } from '../../../../server/experts/find-expert.ts';

const shape = { observationSize: 3, actionSize: 1, hidden: [4, 5] };
const about: ExpertAbout = {
  ...{ format: EXPERT_FORMAT, task: 'dmcontrol/pendulum-swingup', shape, actionRepeat: 4, steps: 100, updates: 20 },
  ...{
    meanReturn: 614.5,
    episodes: 10,
    settings: { seed: 1 },
    command: 'npx l2m train-expert',
    versions: { mujoco: '3.3.0' },
  },
};
// Eighths: float16 keeps them exactly.
const actor = Float32Array.from({ length: groupSize('actor', shape) }, (_, i) => (i - 20) / 8);

async function file(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'l2m-expert-')), 'deep', 'expert.safetensors');
}

describe('the file of an expert', () => {
  it('gives back the actor and what is known of it; equal experts have equal files', async () => {
    const [first, second] = [await file(), await file()];
    await writeExpert(first, about, actor);
    await writeExpert(second, about, actor);
    const expert = await readExpert(first);
    expect(expert.about).toEqual(about);
    expect(expert.actor).toEqual(actor);
    expect((await readExpert(second)).sha256).toBe(expert.sha256);
    expect(fitsExpert(about, { observationSize: 3, actionSize: 1 })).toBe(true);
    expect(fitsExpert(about, { observationSize: 3, actionSize: 2 })).toBe(false);
  });

  it('is refused when it is damaged, cut off or something else', async () => {
    const path = await file();
    await writeExpert(path, about, actor);
    const whole = await readFile(path);
    const damaged = [
      whole.subarray(0, whole.length - 2),
      Buffer.from(whole.toString('latin1').replace('l2m-expert/1', 'l2m-expert/9'), 'latin1'),
      Buffer.from(whole.toString('latin1').replace('actor.1.bias', 'actor.7.bias'), 'latin1'),
      Buffer.concat([whole.subarray(0, whole.length - 2), Buffer.from([0, 0x7c])]),
      Buffer.from('nothing of the kind'),
    ];
    for (const bytes of damaged) {
      await writeFile(path, bytes);
      await expect(readExpert(path)).rejects.toMatchObject({ code: 'L2M_CHECKPOINT_INVALID' });
    }
  });

  it.each([
    ['it was not measured what that costs', {}, 4],
    ['that costs it nothing', { everyStepReturn: 620 }, 1],
    ['that costs it a twentieth', { everyStepReturn: 614.5 * 0.951 }, 1],
    ['that costs it more', { everyStepReturn: 614.5 * 0.949 }, 4],
  ])('says how often it decides while it shows how it is done, where %s', (_, measured, every) => {
    expect(showsEvery({ ...about, ...measured })).toBe(every);
  });

  it("is one's own before the shipped one, and its absence says what to do", async () => {
    const data = await mkdtemp(join(tmpdir(), 'l2m-experts-'));
    const own = join(data, 'experts/dmcontrol/pendulum-swingup/sac/expert.safetensors');
    await writeExpert(own, about, actor);
    expect(await findExpert(data, 'dmcontrol/pendulum-swingup')).toBe(own);
    await expect(findExpert(data, 'dmcontrol/humanoid-run')).rejects.toMatchObject({ code: 'L2M_TASK_UNSUPPORTED' });
    await expect(findExpert(data, 'dmcontrol/humanoid-run')).rejects.toHaveProperty(
      'hint',
      'Train one: npx l2m train-expert --task humanoid-run.',
    );
  });
});
