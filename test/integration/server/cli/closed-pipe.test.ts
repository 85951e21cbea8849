import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const L2M = fileURLToPath(new URL('../../../../server/l2m.mjs', import.meta.url));

it('l2m ends quietly when nobody reads its output to the end', () => {
  // `true` never reads: the help of `continual` does not fit into the pipe’s first write after it is gone.
  const script = `"${process.execPath}" "${L2M}" continual --help | true; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', timeout: 60_000 });
  expect(stderr.replace(/^npm warn.*\n/gm, '')).toBe('');
  expect(stdout).toBe('0\n');
});
