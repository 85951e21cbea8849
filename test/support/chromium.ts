import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const CANDIDATES = [
  process.env['L2M_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** WebGL by SwiftShader, said explicitly: Chromium does not fall back to it by itself any more. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
];

/** Path of an installed Chromium or Chrome (`L2M_CHROMIUM` names another one), or undefined. */
export function chromiumPath(): string | undefined {
  return CANDIDATES.find((path) => path !== undefined && path !== '' && existsSync(path));
}

/** Why browser tests are skipped here, or undefined if they can run. Prints the reason, so that no skip goes unseen. */
export function browserSkipReason(): string | undefined {
  if (chromiumPath() !== undefined) return undefined;
  const reason =
    'skipped: no Chromium or Chrome found (Debian: apt-get install chromium; or set L2M_CHROMIUM to the path of one)';
  console.warn(reason);
  return reason;
}

/** @throws Error if `browserSkipReason` gives a reason */
export function launchChromium(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('no Chromium: ask browserSkipReason first');
  return chromium.launch({ executablePath, args: ARGUMENTS });
}
