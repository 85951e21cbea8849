import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startPlayer } from '../bench/turns.ts';
import type { ViewersReport } from './viewers.ts';

export interface ViewersState {
  readonly attentive: ViewersReport;
  readonly stalled: ViewersReport;
}

export interface ViewerProcess {
  /** Resolves when every one of them has been told the present state. @param stalled how many of them do not keep up */
  open(count: number, stalled: number): Promise<ViewersState>;
  report(): Promise<ViewersState>;
  /** They go; others may be opened afterwards. */
  leave(): Promise<ViewersState>;
  end(): Promise<void>;
}

/** Viewers in a process of their own, so that what they need is not counted as the server's. */
export async function startViewers(serverUrl: string): Promise<ViewerProcess> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const script = fileURLToPath(new URL('./viewers.ts', import.meta.url));
  const live = `${serverUrl.replace('http', 'ws')}/live`;
  const player = await startPlayer(process.execPath, ['--import', tsx, script, live]);
  return {
    open: (count, stalled) => player.ask({ open: count, stalled }),
    report: () => player.ask({ report: true }),
    leave: () => player.ask({ close: true }),
    end: () => player.close(),
  };
}
