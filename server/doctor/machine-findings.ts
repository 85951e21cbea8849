import { availableParallelism, totalmem } from 'node:os';
import { findChromium } from '../setup/find-tools.mjs';
import { askProgram } from './ask-program.ts';
import { good, warning, type Finding } from './finding.ts';

export interface ThreadShares {
  /** Cores that this process may use. */
  readonly cores: number;
  /** Simulator processes, one thread each. */
  readonly workers: number;
  /** Threads inside one tensor operation. */
  readonly threads: number;
}

/** How the cores are shared out, and the browser that the page's tests need. */
export async function machineFindings(shares: Omit<ThreadShares, 'cores'>): Promise<readonly Finding[]> {
  const cores = availableParallelism();
  return [
    good('machine', `${cores} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB memory`),
    judgeThreads({ ...shares, cores }),
    await chromiumFinding(),
  ];
}

/**
 * Simulators wait while the policy computes and the other way round, so half as many busy threads again as cores are
 * still fine; beyond that they fight.
 */
export function judgeThreads(shares: ThreadShares): Finding {
  const { cores, workers, threads } = shares;
  const detail = `${workers} simulator workers + ${threads} tensor threads on ${cores} cores`;
  if (workers + threads <= Math.max(2, Math.ceil(cores * 1.5))) return good('threads', detail);
  return warning('threads', `${detail}: they will wait for each other`, 'Lower `--workers` or `--threads`.');
}

async function chromiumFinding(): Promise<Finding> {
  const fix =
    'Only the browser tests need it: install Chromium or Chrome (Debian: apt-get install chromium), or name one in L2M_CHROMIUM.';
  const chromium = findChromium();
  if (chromium === undefined) return warning('Chromium', 'none', fix);
  const answer = await askProgram(chromium, ['--version']);
  return answer.ok
    ? good('Chromium', `${answer.text} (${chromium})`)
    : warning('Chromium', `${chromium} does not start: ${answer.reason}`, fix);
}
