#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Plain JavaScript, so that it can say what to do when nothing is installed yet.
const root = fileURLToPath(new URL('..', import.meta.url));
if (!existsSync(`${root}/node_modules/tsx`)) {
  if (process.argv[2] === 'doctor') {
    const { firstAid } = await import('./setup/first-aid.mjs');
    process.exit(await firstAid());
  }
  process.stderr.write('l2m is not set up yet. Run `npm start`, or `npm run setup` to set up only.\n');
  process.exit(1);
}
const { register } = await import('tsx/esm/api');
register();
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv);
