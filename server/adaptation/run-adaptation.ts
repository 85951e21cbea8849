import type { LiveServer } from '../build-server.ts';
import { openTrainingRun } from '../store/training-run.ts';
import { Actors } from './actors.ts';
import type { AdaptationHooks, AdaptationOptions, AdaptationResult } from './adaptation-events.ts';
import { AdaptationFolder } from './adaptation-folder.ts';
import type { AdaptationSettings } from './adaptation-settings.ts';
import { gatherDemonstrations } from './demonstrations.ts';
import { gatherEpisodes } from './gather-episodes.ts';
import { openJournal, standingOf, type Journal } from './journal.ts';
import { openAdaptation } from './open-adaptation.ts';
import { reportComparison, reportOf, versionName } from './report.ts';
import { AS_DECIDED } from './passes.ts';
import { RoundRunner } from './round-runner.ts';
import { startSeed } from './adaptation-settings.ts';

/**
 * Adapts a pool to one task while it acts, round after round: rollouts of the version that acts, updates from what succeeded, a paired
 * evaluation against the version that acts, promotion or a way back. Killed at any moment and resumed, its journal is that of an adaptation
 * that was never disturbed.
 *
 * @throws L2mError L2M_CONFIG_INVALID, L2M_CHECKPOINT_INVALID, L2M_DATA_INVALID, L2M_RUN_MISMATCH, L2M_AGENT_LOST, L2M_SIMULATOR_FAULT
 */
export async function runAdaptation(
  server: LiveServer,
  options: AdaptationOptions,
  hooks: AdaptationHooks,
): Promise<AdaptationResult> {
  const folder = new AdaptationFolder(options.folder);
  const settings = await openAdaptation(folder, options);
  const journal = openJournal(folder.journal);
  const training = await openTrainingRun({
    ...{ store: server.store, versions: server.fleet.versions(), folder: folder.path, resume: options.resume },
    ...{ policy: `adaptation ${folder.name}`, seed: settings.seed, configuration: { ...settings } },
  });
  const actors = new Actors(server, settings, hooks);
  try {
    const session = { server, actors, folder, settings, journal, training, options, hooks };
    const comparison = await wholeAdaptation(session);
    const outcome = comparison === undefined ? 'stopped' : 'finished';
    await training.end(outcome);
    const { version } = standingOf(journal.rows);
    return {
      ...{ outcome, settings, rows: journal.rows, version, comparison },
      checkpoint: folder.checkpoint(version),
    };
  } catch (cause) {
    await training.end('failed').catch(() => undefined);
    throw cause;
  } finally {
    await actors.close();
  }
}

/** What every part of an adaptation works with. */
export interface AdaptationSession {
  readonly server: LiveServer;
  readonly actors: Actors;
  readonly folder: AdaptationFolder;
  readonly settings: AdaptationSettings;
  readonly journal: Journal;
  readonly training: Awaited<ReturnType<typeof openTrainingRun>>;
  readonly options: AdaptationOptions;
  readonly hooks: AdaptationHooks;
}

/** @returns undefined where it was stopped */
async function wholeAdaptation(session: AdaptationSession): Promise<AdaptationResult['comparison']> {
  const { actors, folder, settings, journal, options, hooks } = session;
  const before = await reportOf(actors, folder, { settings, version: 0 });
  if (before === undefined || !(await gatherIdentity(session)) || !(await gatherDemonstrations(session))) {
    return undefined;
  }
  const runner = new RoundRunner(session);
  while (journal.rows.length < options.rounds) {
    const row = await runner.run(journal.rows.length + 1);
    if (row === undefined) return undefined;
    hooks.round?.(row);
  }
  const { version } = standingOf(journal.rows);
  const after = await reportOf(actors, folder, { settings, version });
  return after === undefined ? undefined : reportComparison(folder, [0, version], [before, after]);
}

/** What the checkpoint does on its pre-training tasks: the states in which it is to stay as it is. */
function gatherIdentity({ server, actors, folder, settings }: AdaptationSession): Promise<boolean> {
  return gatherEpisodes({ server, actors }, () => actors.load('acting', folder.checkpoint(0), versionName(folder, 0)), {
    ...{ tasks: settings.identityTasks, folder: folder.identity, firstStart: 0, episodes: settings.identityEpisodes },
    ...{ seed: startSeed(settings, 'rollouts'), passes: [AS_DECIDED], solves: () => false, identity: {} },
    what: 'what is to stay',
  });
}
