/**
 * A process that records episodes until it is killed or cannot, printing one JSON line for what has become durable.
 * argv: data directory, episodes to record (0: for ever).
 */
import { L2mError } from '../../../../server/errors.ts';
import { openRunStore } from '../../../../server/store/duckdb-run-store.ts';
import { metaworldEpisode, newRun } from '../../../contract/server/store/builders.ts';

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const [directory = '', count = '0'] = process.argv.slice(2);
const limit = Number(count) || Infinity;

async function main(): Promise<void> {
  const store = await openRunStore({ directory });
  say({ opened: process.pid });
  await store.createRun(newRun('run-a')).catch(() => store.updateRun('run-a', { state: 'running' }));
  let start = (await store.latestEpisodes('run-a')).length;
  for (let recorded = 0; recorded < limit; recorded += 4) {
    const together = Array.from({ length: 4 }, () => start++);
    const successes = Uint8Array.from({ length: 500 }, () => Math.round(Math.random()));
    await Promise.all(
      together.map((index) => store.recordEpisode(metaworldEpisode('run-a', { start: index, successes }))),
    );
    say({ durable: start });
  }
  await store.close();
  say({ closed: true });
}

try {
  await main();
} catch (error) {
  say(error instanceof L2mError ? { ...error.toWire() } : { unexpected: String(error) });
  process.exitCode = 1;
}
