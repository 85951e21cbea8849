import { expect, test } from 'vitest';
import {
  addressOf,
  addressOfFocus,
  focusFromAddress,
  replayFromAddress,
  type ReplayRequest,
} from '../../../dashboards/replay-address.ts';

const PAGE = 'http://127.0.0.1:8650/?theme=dark';

test('an address leads back to run, episode, step and camera, and leaves the rest alone', () => {
  const replay: ReplayRequest = {
    ...{ kind: 'stored', run: 'evaluate-1', episode: 'metaworld.reach-v3.0.1' },
    ...{ step: 57, camera: '1.1,0.5,2,0,0,0.3', compare: 'evaluate-2/metaworld.reach-v3.1.1', ghost: true },
  };
  const address = addressOf(PAGE, replay);
  expect(address).toBe(
    `${PAGE}&run=evaluate-1&episode=metaworld.reach-v3.0.1&step=57&camera=1.1,0.5,2,0,0,0.3&compare=evaluate-2/metaworld.reach-v3.1.1&ghost=1`,
  );
  expect(replayFromAddress(new URL(address).search)).toEqual(replay);
  expect(addressOf(address, null)).toBe(PAGE);
});

test.each(['@3', '1.1,0.5,2,0,0,0.3~12'])('the view %s stands in an address as it is', (camera) => {
  const replay: ReplayRequest = {
    ...{ kind: 'stored', run: 'a', episode: 'metaworld.reach-v3.0.1', step: 0 },
    ...{ camera, compare: '', ghost: false },
  };
  const address = addressOf(PAGE, replay);
  expect(address).toContain(`&camera=${camera}`);
  expect(replayFromAddress(new URL(address).search)).toEqual(replay);
});

test('the environment that is large stands in the address, and leaves the rest alone', () => {
  const address = addressOfFocus(PAGE, 'worker-0:3');
  expect(address).toBe(`${PAGE}&env=worker-0:3`);
  expect(focusFromAddress(new URL(address).search)).toBe('worker-0:3');
  expect(addressOfFocus(address, null)).toBe(PAGE);
  expect(focusFromAddress(new URL(PAGE).search)).toBeNull();
});

test('an address without a recording, or with a senseless step, asks for nothing odd', () => {
  expect(replayFromAddress('?run=a')).toBeNull();
  expect(replayFromAddress('')).toBeNull();
  for (const step of ['-3', 'x', 'Infinity', '']) {
    expect(replayFromAddress(`?run=a&episode=b&step=${step}`)).toMatchObject({
      step: 0,
      camera: '',
      compare: '',
      ghost: false,
    });
  }
});
