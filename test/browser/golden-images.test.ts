import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserSkipReason, launchChromium } from '../support/chromium.ts';
import { drawStill, goldenScenes, likenessOf, stillScript, type GoldenScene } from './support/stills.ts';

/**
 * Cube textures: all of Meta-World. Checker floor and sky: all of DMControl but the one from above. A skin: dog. A tendon
 * that hangs: ball-in-cup. Lights and cameras that follow: walker, cheetah, dog. A mirror: all floors of DMControl, the
 * dog most of all. A corner of the floor in the camera's plane: cartpole. A drawing: manipulator. Two shadows: swimmer.
 * Hills and rays: quadruped. `test/slow/dashboards/every-scene.test.ts` draws all there are.
 */
const VIEWS = [
  'metaworld/reach-v3@corner',
  'metaworld/assembly-v3@behindGripper',
  'metaworld/door-open-v3@behindGripper',
  'metaworld/drawer-close-v3@behindGripper',
  'metaworld/peg-insert-side-v3@behindGripper',
  'dmcontrol/walker-walk@side',
  'dmcontrol/ball-in-cup-catch@cam0',
  'dmcontrol/dog-stand@y-axis',
  'dmcontrol/cheetah-run@side',
  'dmcontrol/reacher-easy@fixed',
  'dmcontrol/finger-spin@cam0',
  'dmcontrol/fish-swim@fixed_top',
  'dmcontrol/cartpole-balance@fixed',
  'dmcontrol/manipulator-bring-ball@fixed',
  'dmcontrol/swimmer-swimmer6@tracking1',
  'dmcontrol/quadruped-escape@global',
];

/**
 * The pictures in `golden-images/` are MuJoCo's own (`support/golden_scenes.py --pictures`); here only its physics runs.
 */
describe.skipIf(browserSkipReason() !== undefined)('what the page draws is what MuJoCo draws', () => {
  let browser: Browser;
  let tab: Page;
  let scenes: GoldenScene[];

  beforeAll(async () => {
    const [launched, recorded, script] = await Promise.all([launchChromium(), goldenScenes(VIEWS), stillScript()]);
    browser = launched;
    scenes = recorded;
    tab = await browser.newPage();
    await tab.goto('about:blank');
    await tab.addScriptTag({ content: script });
  });

  afterAll(() => browser.close());

  test.each(VIEWS)('%s', async (view) => {
    const task = view.slice(0, view.indexOf('@'));
    const scene = scenes.find(({ recorded }) => recorded.task === task)!;
    const file = new URL(`golden-images/${task.replace('/', '-')}.png`, import.meta.url);
    const drawn = await drawStill(tab, scene, readFileSync(file));

    expect(scene.bodies.length).toBeGreaterThan(0);
    const { similarity, meanDifference, originError } = likenessOf(drawn, scene);
    console.info(`${view}: SSIM ${similarity.toFixed(4)}, mean difference ${meanDifference.toFixed(2)}`);
    expect(originError, 'largest error of an origin in pixels').toBeLessThan(0.5);
    expect(similarity).toBeGreaterThanOrEqual(0.9);
    expect(meanDifference, 'of 255').toBeLessThanOrEqual(5);
  });
});
