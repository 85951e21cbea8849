import { expect, test } from 'vitest';
import { drawStill, likenessOf, stillScript, sweptScenes } from '../../browser/support/stills.ts';
import { browserSkipReason, launchChromium } from '../../support/chromium.ts';

/** Fewer, and a suite has lost tasks, or different models have become one scene. */
const FEWEST_SCENES = 70;

test.skipIf(browserSkipReason() !== undefined)(
  'every scene of Meta-World and DMControl is drawn as MuJoCo draws it',
  async () => {
    const [browser, script] = await Promise.all([launchChromium(), stillScript()]);
    const failures: string[] = [];
    let count = 0;
    try {
      const tab = await browser.newPage();
      await tab.goto('about:blank');
      await tab.addScriptTag({ content: script });
      for await (const { golden, picture } of sweptScenes()) {
        const likeness = likenessOf(await drawStill(tab, golden, picture), golden);
        const { similarity, meanDifference, originError } = likeness;
        const told = `${golden.recorded.task}: SSIM ${similarity.toFixed(4)}, mean difference ${meanDifference.toFixed(2)}`;
        console.info(told);
        const alike = similarity >= 0.9 && meanDifference <= 5 && originError < 0.5;
        if (!alike) failures.push(`${told}, origins within ${originError.toFixed(3)} px`);
        count++;
      }
    } finally {
      await browser.close();
    }
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(FEWEST_SCENES);
  },
);
