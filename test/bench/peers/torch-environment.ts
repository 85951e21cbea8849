import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonOfSetup } from '../../../server/simulators/python.ts';

/** The release that the tables in this folder's README were taken with. */
const TORCH = 'torch==2.15.0';
const FOLDER = fileURLToPath(new URL('../../../.l2m/bench/torch', import.meta.url));

/**
 * The Python of an environment that holds PyTorch and nothing of ours; made from PyPI at the first call, which downloads
 * 2 GB and takes minutes.
 *
 * @returns the path of its interpreter
 */
export function torchPython(): string {
  const python = path.join(FOLDER, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const works = existsSync(python) && spawnSync(python, ['-c', 'import torch']).status === 0;
  if (works) return python;
  process.stderr.write(`installing ${TORCH} for the peer, once; minutes\n`);
  rmSync(FOLDER, { recursive: true, force: true });
  run(pythonOfSetup(), ['-m', 'venv', FOLDER]);
  run(python, ['-m', 'pip', 'install', '--quiet', TORCH, 'numpy']);
  return python;
}

function run(program: string, args: readonly string[]): void {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${path.basename(program)} ${args.join(' ')} ended with ${status ?? 'a signal'}`);
}
