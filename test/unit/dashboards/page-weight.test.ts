import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const dist = new URL('../../../dashboards/dist/', import.meta.url).pathname;
const BUDGET_BYTES = 230 * 1000;

function weight(path: string): number {
  return gzipSync(readFileSync(path)).byteLength;
}

test.skipIf(!existsSync(join(dist, 'index.html')))('the page stays light (skipped while it has not been built)', () => {
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const files = readdirSync(join(dist, 'assets')).filter((name) => /\.(js|css)$/.test(name));
  const initial = files.filter((name) => html.includes(name));
  const sum = (names: readonly string[]) =>
    names.reduce((total, name) => total + weight(join(dist, 'assets', name)), 0);
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
  console.info(`page: ${kilobytes(sum(initial))} gzip at first, ${kilobytes(sum(files))} with 3D and charts`);
  expect(initial.length).toBeGreaterThan(0);
  expect(sum(initial)).toBeLessThan(100 * 1000);
  expect(sum(files)).toBeLessThan(BUDGET_BYTES);
});
