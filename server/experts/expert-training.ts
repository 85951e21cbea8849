import { join } from 'node:path';
import type { ExpertShape } from '../../agent/experts/expert-shape.ts';
import { returnScale } from '../../agent/scoring/normalized-score.ts';
import type { LiveServer } from '../build-server.ts';
import type { TrajectoryWriter } from '../learning/trajectory-writer.ts';
import { openTrainingRun, type TrainingRun } from '../store/training-run.ts';
import { bestSoFar } from './best-so-far.ts';
import { evaluateActor, type ActorScore } from './evaluate-actor.ts';
import type { ExpertHooks, ExpertProgress, ExpertResult } from './expert-events.ts';
import { EXPERT_FORMAT, writeExpert } from './expert-file.ts';
import { decisionsOf, expertSettings, type ExpertOptions } from './expert-options.ts';
import { expertPath } from './find-expert.ts';
import { LearnerHost } from './learner-host.ts';
import type { LearnerReport } from './learner-messages.ts';
import type { LearnerPosition } from './learner.ts';
import { openCurve, type CurvePoint } from './learning-curve.ts';
import { LiveCurve } from './live-curve.ts';
import { lockstepPolicy } from './lockstep-policy.ts';
import { restoreReplay, whereToStart } from './restore-replay.ts';
import { StopRequest } from './stop-request.ts';

/** Between two points of the live curves. */
const CURVE_EVERY_MS = 10_000;

export interface ExpertTrainingParts {
  readonly server: LiveServer;
  readonly options: ExpertOptions;
  readonly hooks: ExpertHooks;
  readonly writer: TrajectoryWriter;
  readonly shape: ExpertShape;
}

/** One session of one training: rounds of episodes in step, evaluations between them, states now and then. */
export class ExpertTraining {
  readonly #parts: ExpertTrainingParts;
  readonly #learner: LearnerHost;
  readonly #startMs = performance.now();
  readonly #stop: StopRequest;
  #position: LearnerPosition = { round: 0, decisions: 0, updates: 0 };
  #stepsBefore = 0;
  #report: LearnerReport | undefined;
  #evaluation: CurvePoint | undefined;
  #bestReturn = -Infinity;
  #writerOpen = true;
  #live: LiveCurve | undefined;

  constructor(parts: ExpertTrainingParts) {
    this.#parts = parts;
    this.#stop = new StopRequest(parts.hooks.signal);
    this.#learner = new LearnerHost(join(parts.options.folder, 'learner.log'), (report) => {
      this.#report = report;
      this.#position = report.position;
    });
  }

  async run(): Promise<ExpertResult> {
    const { options, hooks, shape } = this.#parts;
    const { folder, resume, backend, firstActor } = options;
    const begun = await this.#learner.begin({
      ...{ settings: expertSettings(options), shape, folder, resume, backend },
      ...(firstActor === undefined ? {} : { actor: firstActor }),
    });
    this.#position = begun.position;
    this.#stepsBefore = this.#steps;
    hooks.note(begun.backend + (this.#steps > 0 ? `; going on after ${this.#steps} steps` : ''));
    await restoreReplay(this.#learner, begun.position, this.#parts);
    const storeRun = await this.#openStoreRun();
    const curve = openCurve(join(folder, 'curve.jsonl'), this.#steps);
    const best = await bestSoFar(folder, options.evaluationEpisodes);
    this.#bestReturn = best.meanReturn;
    if (best.note !== undefined) hooks.note(best.note);
    this.#live = new LiveCurve(
      () => ({ steps: this.#steps, report: this.#report }),
      (steps, values) => storeRun.record(steps, values),
    );
    const timers = this.#timers();
    try {
      const { round: first, history } = whereToStart(begun.position, begun.history, this.#parts);
      const policy = this.#trainingPolicy(first, history);
      const rounds = Math.ceil(options.steps / this.#roundSteps);
      const between = Math.max(1, Math.round(options.evaluateEvery / this.#roundSteps));
      for (let round = first; round < rounds && !this.#stop.requested();) {
        const end = Math.min(rounds, (Math.floor(round / between) + 1) * between);
        await this.#runRounds(policy, round, end - round);
        round = end;
        if (!this.#stop.requested()) await this.#evaluate(storeRun, curve);
      }
      const { position } = await this.#learner.save();
      this.#position = position;
      if (this.#evaluation === undefined && !this.#stop.requested()) await this.#evaluate(storeRun, curve);
      const outcome = this.#stop.requested() ? 'stopped' : 'finished';
      await storeRun.end(outcome);
      return await this.#result(outcome);
    } catch (cause) {
      await storeRun.end('failed').catch(() => undefined);
      this.#stop.throwFailure();
      throw cause;
    } finally {
      timers.clear();
    }
  }

  async close(): Promise<void> {
    await this.#learner.close();
    if (this.#writerOpen) await this.#parts.writer.close();
  }

  get #roundSteps(): number {
    return this.#parts.options.lanes * this.#parts.options.horizon;
  }

  get #steps(): number {
    const { lanes, actionRepeat } = this.#parts.options;
    return (this.#position.round * decisionsOf(this.#parts.options) + this.#position.decisions) * lanes * actionRepeat;
  }

  #trainingPolicy(round: number, history: readonly Float32Array[]) {
    const { options, shape } = this.#parts;
    return lockstepPolicy({
      ...{ name: `learner ${options.source}`, lanes: options.lanes, actionRepeat: options.actionRepeat, firstStart: 0 },
      ...{ decisions: decisionsOf(options), observationSize: shape.observationSize, actionSize: shape.actionSize },
      ...{ round, history },
      decide: (observations, rewards) => this.#learner.decide(observations, rewards),
      halted: () => this.#stop.requested(),
      failed: (reason) => this.#stop.fail(reason),
    });
  }

  async #runRounds(policy: ReturnType<typeof lockstepPolicy>, round: number, count: number): Promise<void> {
    const { options, writer, server } = this.#parts;
    const { task, source, horizon, seed, lanes } = options;
    const handle = await server.runs.start(
      {
        ...{ kind: 'collect', tasks: [task], protocol: 'l2m-paper', horizon, seed },
        ...{ policy: { kind: 'learner', name: source }, episodes: count * lanes, firstStart: round * lanes },
      },
      {
        policy,
        // What was done is what is to be learned: the paper's data are the actions of the learning policy.
        take: (plan, trajectory) => {
          this.#live?.ended(trajectory.rewards);
          return writer.append({ start: plan.start, noise: 0, ...trajectory, targets: trajectory.actions });
        },
      },
    );
    await this.#stop.finish(server, handle);
  }

  async #evaluate(storeRun: TrainingRun, curve: ReturnType<typeof openCurve>): Promise<void> {
    const { evaluationEpisodes: episodes, actionRepeat } = this.#parts.options;
    // Everything learned so far is in: the learner answers in order.
    this.#position = (await this.#learner.save()).position;
    const score = await this.#score(actionRepeat);
    if (score === undefined) return;
    const { meanReturn, normalizedScore } = score;
    const best = meanReturn >= this.#bestReturn;
    const everyStep = best && actionRepeat > 1 ? await this.#score(1) : score;
    if (everyStep === undefined) return;
    this.#evaluation = {
      ...{ steps: this.#steps, updates: this.#position.updates, meanReturn, normalizedScore, episodes },
      updatesPerSecond: this.#report?.updatesPerSecond ?? 0,
      temperature: this.#report?.figures.temperature ?? 0,
      criticLoss: this.#report?.figures.criticLoss ?? 0,
    };
    curve.append(this.#evaluation);
    const { updatesPerSecond, temperature, criticLoss } = this.#evaluation;
    await storeRun.record(this.#steps, { return: meanReturn, updatesPerSecond, temperature, criticLoss });
    if (best) await this.#keep(this.#evaluation, everyStep.meanReturn);
    this.#parts.hooks.note(`return ${meanReturn.toFixed(1)} after ${this.#steps} steps`);
  }

  #score(actionRepeat: number): Promise<ActorScore | undefined> {
    const { options, shape, server } = this.#parts;
    const choose = (observations: Float32Array) =>
      this.#learner.choose(observations).catch((reason: unknown) => {
        // Otherwise the episodes that wait for it would be errors, and the simulators be blamed.
        this.#stop.fail(reason);
        throw reason;
      });
    return evaluateActor({ ...{ server, options, shape, choose, actionRepeat }, stop: this.#stop });
  }

  /** The weights that were evaluated are still those of the learner: it learns in training rounds alone. */
  async #keep({ steps, updates, meanReturn, episodes }: CurvePoint, everyStepReturn: number): Promise<void> {
    const { options, shape, server } = this.#parts;
    this.#bestReturn = meanReturn;
    await writeExpert(
      expertPath(options.folder),
      {
        ...{ format: EXPERT_FORMAT, task: options.task, shape: { ...shape, hidden: [...shape.hidden] } },
        ...{ actionRepeat: options.actionRepeat, steps, updates, meanReturn, episodes, everyStepReturn },
        settings: { ...expertSettings(options) },
        command: `npx l2m ${process.argv.slice(2).join(' ')}`,
        versions: { ...server.fleet.versions() },
      },
      await this.#learner.actor(),
    );
  }

  #openStoreRun(): Promise<TrainingRun> {
    const { server, options } = this.#parts;
    const { folder, resume, seed, task } = options;
    return openTrainingRun({
      ...{ store: server.store, versions: server.fleet.versions(), folder, resume, seed },
      policy: `soft actor-critic ${task}`,
      configuration: { ...expertSettings(options) },
    });
  }

  #timers(): { clear(): void } {
    const { options, hooks } = this.#parts;
    const saving = setInterval(() => {
      this.#learner.save().catch((reason: unknown) => this.#stop.fail(reason));
    }, options.saveEveryMinutes * 60_000);
    const showing = setInterval(() => hooks.progress(this.#progress()), hooks.progressEveryMs ?? 250);
    const following = setInterval(() => {
      this.#live?.point().catch((reason: unknown) => this.#stop.fail(reason));
    }, hooks.curveEveryMs ?? CURVE_EVERY_MS);
    const limit =
      options.minutes === undefined ? undefined : setTimeout(() => this.#stop.stop(), options.minutes * 60_000);
    return {
      clear: () => {
        clearInterval(saving);
        clearInterval(showing);
        clearInterval(following);
        clearTimeout(limit);
      },
    };
  }

  #progress(): ExpertProgress {
    const totalSteps = Math.ceil(this.#parts.options.steps / this.#roundSteps) * this.#roundSteps;
    const seconds = (performance.now() - this.#startMs) / 1000;
    const done = this.#steps - this.#stepsBefore;
    return {
      ...{ steps: this.#steps, totalSteps, updates: this.#position.updates, evaluation: this.#evaluation },
      updatesPerSecond: this.#report?.updatesPerSecond ?? 0,
      secondsLeft: done > 0 ? ((totalSteps - this.#steps) / done) * seconds : null,
    };
  }

  async #result(outcome: ExpertResult['outcome']): Promise<ExpertResult> {
    const { writer, options } = this.#parts;
    let data: ExpertResult['data'];
    if (writer.finishedStarts().size > 0) {
      data = await writer.finish();
      this.#writerOpen = false;
    }
    return {
      ...{ outcome, steps: this.#steps, updates: this.#position.updates, evaluation: this.#evaluation, data },
      dataMean: returnScale(options.task)?.one ?? null,
    };
  }
}
