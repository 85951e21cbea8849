import { runTrainer } from '../learning/trainer-host.ts';
import { readTrajectories } from '../learning/trajectory-reader.ts';
import { L2mError } from '../errors.ts';
import { candidateFacts, type CandidateFacts } from './candidate.ts';
import { startSeed } from './adaptation-settings.ts';
import { gatherEpisodes } from './gather-episodes.ts';
import { standingOf, type RoundRow } from './journal.ts';
import { episodeFigures, keptEpisodes, keepRule, succeeded } from './keep-rules.ts';
import { evaluatePairs, type PairedOutcome } from './paired-evaluation.ts';
import { passesOf } from './passes.ts';
import { versionName } from './report.ts';
import type { AdaptationSession } from './run-adaptation.ts';
import type { RoundEvent, RoundResult, RoundTrainingOptions } from './train-round.ts';

type Gathered = Pick<RoundRow, 'episodes' | 'starts' | 'solved' | 'solvedAtOnce' | 'meanReturn' | 'kept'>;

/** One round after the other. Each part leaves what it made on the disk, so that a round that was interrupted goes on within itself. */
export class RoundRunner {
  readonly #session: AdaptationSession;

  constructor(session: AdaptationSession) {
    this.#session = session;
  }

  /** @returns undefined where it was stopped */
  async run(round: number): Promise<RoundRow | undefined> {
    const { folder, journal } = this.#session;
    const { version } = standingOf(journal.rows);
    const gathered = await this.#gather(round, version);
    if (gathered === undefined) return undefined;
    const trained = await this.#train(round, version);
    if (trained === 'stopped') return undefined;
    const facts = trained === 'finished' ? await candidateFacts(folder, round) : undefined;
    const paired = facts === undefined ? undefined : await this.#compare(round, version);
    if (facts !== undefined && paired === undefined) return undefined;
    const row = rowOf({ round, version, gathered, facts, paired });
    this.#assertFrozen(row);
    journal.append(row);
    if (row.decision === 'rolled-back') await folder.forget(round);
    await this.#tell(row);
    return row;
  }

  async #gather(round: number, version: number): Promise<Gathered | undefined> {
    const { server, actors, folder, settings } = this.#session;
    const { task, episodes } = settings;
    const passes = passesOf(settings);
    const [spec] = await server.describe([task]);
    if (spec === undefined) throw new L2mError('L2M_TASK_UNKNOWN', task);
    const rule = keepRule(settings, spec.reportsSuccess);
    await this.#say(`round ${round}: rollouts of version ${version}`);
    const whole = await gatherEpisodes({ server, actors }, () => this.#load('acting', version), {
      ...{ tasks: [task], folder: folder.round(round), firstStart: (round - 1) * episodes, episodes, passes },
      ...{ seed: startSeed(settings, 'rollouts'), identity: { round } },
      solves: ({ successes }) =>
        rule.reportsSuccess && (rule.success === 'any-time' ? successes.includes(1) : successes.at(-1) === 1),
      what: `round ${round}: rollouts of version ${version}`,
    });
    if (!whole) return undefined;
    const trajectories = await readTrajectories(folder.ownTrajectories(round, task));
    const figures = episodeFigures(trajectories);
    const first = figures.filter((_, i) => trajectories.noises[i] === Math.fround(passes[0]?.mark ?? 0));
    const solved = figures.filter((each) => succeeded(each, rule));
    return {
      episodes: figures.length,
      starts: new Set(figures.map(({ start }) => start)).size,
      solved: new Set(solved.map(({ start }) => start)).size,
      solvedAtOnce: first.filter((each) => succeeded(each, rule)).length,
      meanReturn: first.reduce((sum, each) => sum + each.return, 0) / Math.max(1, first.length),
      kept: keptEpisodes(figures, rule).length,
    };
  }

  async #train(round: number, version: number): Promise<RoundResult['outcome']> {
    const { folder, settings, options, hooks, training } = this.#session;
    const { backend, command, commit } = options;
    await this.#say(`round ${round}: learning`);
    const { outcome } = await runTrainer<RoundTrainingOptions, RoundEvent, RoundResult>(
      {
        entry: new URL('./trainer.ts', import.meta.url),
        options: {
          ...{ folder: folder.path, settings, round, version, backend, command, commit },
          ...{ saveEveryMinutes: 2, reportEverySeconds: 5 },
        },
        logPath: folder.trainerLog,
      },
      {
        signal: hooks.signal,
        onEvent: ({ update, last, loss }) => {
          hooks.progress(`round ${round}: update ${update}/${last}, loss ${loss.toFixed(4)}`);
          // A curve with a gap harms nobody.
          training.record(update, { loss }).catch(() => undefined);
        },
      },
    );
    return outcome;
  }

  async #compare(round: number, version: number): Promise<PairedOutcome | undefined> {
    const { actors, folder, settings } = this.#session;
    return evaluatePairs(actors, {
      ...{ settings, round, path: folder.pairs(round) },
      acting: await this.#load('acting', version),
      candidate: await this.#load('candidate', round),
      told: ({ gained, lost, tied }) =>
        this.#say(
          `round ${round}: version ${round} against ${version}, ${gained + lost + tied} pairs so far: ${gained} gained, ${lost} lost`,
        ),
    });
  }

  #load(place: 'acting' | 'candidate', version: number) {
    const { actors, folder } = this.#session;
    return actors.load(place, folder.checkpoint(version), versionName(folder, version));
  }

  /** The frozen model is the same in every round, whatever has been learned on it. @throws L2mError L2M_GRAPH_FAILED if it is not */
  #assertFrozen({ round, frozenSha256 }: RoundRow): void {
    const first = this.#session.journal.rows.find((row) => row.frozenSha256 !== null)?.frozenSha256;
    if (frozenSha256 === null || first === undefined || first === frozenSha256) return;
    throw new L2mError(
      'L2M_GRAPH_FAILED',
      `frozen weights changed in round ${round}: sha256 ${String(first)} became ${frozenSha256}`,
      {
        hint: 'Do not use what this adaptation has learned, and report it.',
      },
    );
  }

  /** Where the adaptation is, beside its curves on the page. */
  async #say(message: string): Promise<void> {
    const { server, training, hooks } = this.#session;
    hooks.progress(message);
    await server.store.updateRun(training.run, { message });
  }

  async #tell(row: RoundRow): Promise<void> {
    const { server, hooks, training, journal } = this.#session;
    const text = roundText(row);
    hooks.note(text);
    server.notice('info', text);
    const { version } = standingOf(journal.rows);
    await training.record(row.round * this.#session.settings.updates, {
      ...{ version, success: row.solvedAtOnce / row.starts, keptShare: row.kept / row.episodes },
      ...{ pairs: row.gained + row.lost + row.tied, gained: row.gained, lost: row.lost },
      meanReturn: row.meanReturn,
    });
    await this.#say(text);
    // What was rolled back must not act again, and what was promoted acts at once.
    await this.#load('acting', version);
  }
}

function rowOf(parts: {
  readonly round: number;
  readonly version: number;
  readonly gathered: Gathered;
  readonly facts: CandidateFacts | undefined;
  readonly paired: PairedOutcome | undefined;
}): RoundRow {
  const { round, version, gathered, facts, paired } = parts;
  const { gained, lost, tied } = paired?.tally ?? { gained: 0, lost: 0, tied: 0 };
  return {
    ...{ round, version, ...gathered },
    ...{ learnedFrom: facts?.learnedFrom ?? 0, updates: facts?.updates ?? 0, loss: facts?.loss ?? null },
    ...{ frozenSha256: facts?.frozenSha256 ?? null, poolSha256: facts?.poolSha256 ?? null, gained, lost, tied },
    decision: paired === undefined ? 'nothing-kept' : paired.verdict === 'worse' ? 'rolled-back' : 'promoted',
  };
}

/** `round 3: 31 of 50 starts solved (18 at once), 31 episodes kept; version 3 promoted after 25 pairs (8 gained, 3 lost)` */
export function roundText(row: RoundRow): string {
  const { round, starts, solved, solvedAtOnce, kept, gained, lost, tied, decision } = row;
  const seen = `round ${round}: ${solved} of ${starts} starts solved (${solvedAtOnce} at once), ${kept} episodes kept`;
  if (decision === 'nothing-kept') return `${seen}; nothing to learn from`;
  const pairs = `after ${gained + lost + tied} pairs (${gained} gained, ${lost} lost)`;
  return `${seen}; version ${round} ${decision === 'promoted' ? 'promoted' : 'rolled back'} ${pairs}`;
}
