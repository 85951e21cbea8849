import axe from 'axe-core';
import type { Page } from 'playwright-core';

/**
 * What axe finds of serious or critical weight on the page as it stands, one line a finding with the elements concerned.
 */
export async function seriousFindings(tab: Page): Promise<string[]> {
  if (!(await tab.evaluate<boolean>('"axe" in window'))) await tab.evaluate(axe.source);
  return tab.evaluate<string[]>(`(async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, impact, nodes }) => impact + ' ' + id + ': ' +
        nodes.slice(0, 4).map(({ target, any }) => target.join(' ') + ' ' + (any[0]?.message ?? '')).join(' | '));
  })()`);
}

/** Buttons, links and fields that are shown but reach over the sides of the window and cannot be scrolled to. */
export function unreachableControls(tab: Page): Promise<string[]> {
  return tab.evaluate<string[]>(`[...document.querySelectorAll('button, a[href], input, select, summary')]
    .filter((element) => element.checkVisibility() && !element.closest('.visually-hidden, .skip-link, .table-scroll') &&
      !element.matches('.visually-hidden, .skip-link'))
    .filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (left < -1 || right > innerWidth + 1);
    })
    .map((element) => (element.getAttribute('aria-label') ?? element.textContent ?? '').trim())`);
}
