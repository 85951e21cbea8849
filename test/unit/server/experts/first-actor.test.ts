import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readExpert } from '../../../../server/experts/expert-file.ts';
import { shippedExpert } from '../../../../server/experts/find-expert.ts';
import { readFirstActor } from '../../../../server/experts/first-actor.ts';

const HARD = 'dmcontrol/finger-turn_hard';

describe('the actor a training begins with', () => {
  it('is the shipped one of the task, with its sizes, its action repeat and the hash of its file', async () => {
    const { about, actor, sha256 } = await readExpert(shippedExpert(HARD));
    expect(await readFirstActor(HARD, { from: 'shipped', criticUpdates: 7 })).toEqual({
      ...{ hidden: about.shape.hidden, actionRepeat: about.actionRepeat, firstActor: actor },
      start: { sha256, criticUpdates: 7 },
    });
  });

  it('may come from another task of the same robot, and from no other', async () => {
    const request = { from: shippedExpert(HARD), criticUpdates: 0 };
    expect((await readFirstActor('dmcontrol/finger-turn_easy', request)).hidden).toEqual([256, 256]);
    await expect(readFirstActor('dmcontrol/walker-walk', request)).rejects.toMatchObject({
      code: 'L2M_CONFIG_INVALID',
      message: expect.stringContaining('dmcontrol/finger-turn_hard, not of dmcontrol/walker-walk') as string,
    });
  });

  it('is refused with widths that are not its own, and where there is none', async () => {
    const request = { from: 'shipped', criticUpdates: 0 };
    await expect(readFirstActor(HARD, { ...request, hidden: [64] })).rejects.toThrow(
      '--hidden 64 for an actor of 256,256',
    );
    const from = join(await mkdtemp(join(tmpdir(), 'l2m-first-')), 'none.safetensors');
    await expect(readFirstActor(HARD, { ...request, from })).rejects.toMatchObject({ code: 'L2M_CHECKPOINT_INVALID' });
  });
});
