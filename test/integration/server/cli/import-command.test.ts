import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runL2m } from '../../../support/l2m-command.ts';

const GOLDEN = join(import.meta.dirname, '../../../golden/agent/reference/l2m_lora.checkpoint.zip');

let folder = '';
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'l2m-import-command-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('l2m import', () => {
  test('checkpoint says what it takes over, then writes the folder that it names', async () => {
    const looked = await runL2m(['import', 'checkpoint', GOLDEN, '--heads', '2', '--check', '--json']);
    expect(looked.exitCode).toBe(0);
    const report = JSON.parse(looked.stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ folder: null, missing: [], modulation: { kind: 'lora', poolSize: 8, rank: 4 } });

    const written = await runL2m(['import', 'checkpoint', GOLDEN, '--heads', '2', '--data', folder]);
    expect(written.exitCode).toBe(0);
    const to = join(folder, 'checkpoints/l2m_lora.checkpoint');
    expect(written.stdout).toContain(`missing: 0\n${to}\n`);
    expect((await readdir(to)).sort()).toEqual(['manifest.json', 'model.safetensors', 'pool.safetensors']);
  });

  test('refuses with a code, what was got and what to do', async () => {
    const pickle = join(folder, 'hammer-v2.pkl');
    await writeFile(pickle, 'cos\nsystem\n.');
    const cases = [
      { args: ['checkpoint', GOLDEN, '--check'], code: 'L2M_CONFIG_INVALID', hint: '--heads', exit: 2 },
      { args: ['checkpoint', pickle], code: 'L2M_CHECKPOINT_INVALID', hint: 'zip archive', exit: 1 },
      { args: ['data', pickle], code: 'L2M_DATA_INVALID', hint: '.npz', exit: 1 },
    ];
    for (const { args, code, hint, exit } of cases) {
      const { exitCode, stderr } = await runL2m(['import', ...args]);
      expect(exitCode).toBe(exit);
      expect(stderr).toContain(code);
      expect(stderr).toContain(hint);
      expect(stderr).not.toContain('    at ');
    }
  });
});
