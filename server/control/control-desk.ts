import type { ControlRequest, ControlTarget, Pull, SimulationCommand } from '../../protocol/control-messages.ts';
import { wireError, type WireError } from '../../protocol/error-codes.ts';
import { WIRE_LIMITS } from '../../protocol/limits.ts';
import { failure, success, type Result } from '../../protocol/result.ts';
import type { TaskId, TaskSpec } from '../../protocol/task.ts';
import { errorFromUnknown } from '../errors.ts';
import type { ControllingPage, PageControl } from '../live/page-control.ts';
import type { RunningView } from '../rollouts/step-observer.ts';
import type { Hands } from './hands.ts';
import { afterSign, FREE_SEAT, isStealable, seatAfter, withoutPage, type Seat } from './seat.ts';

export interface ControlDeskOptions {
  readonly hands: Hands;
  readonly engine: { views(): Iterable<RunningView>; restart(episode: number): void };
  readonly runs: {
    pause(run: string): void;
    resume(run: string): void;
    /** Undefined if there is no such run. */
    stateOf(run: string): { readonly state: string; readonly kind: 'evaluate' | 'collect' } | undefined;
  };
  readonly specOf: (task: TaskId) => TaskSpec;
  /** Bodies of a task's scene, the world included; 0 if it is not known. */
  readonly bodiesOf: (task: TaskId) => Promise<number>;
  readonly notice: (level: 'info' | 'warning', text: string) => void;
}

type Outcome = Result<void, WireError>;

/** Changes come in bursts (one step moves many environments); pages hear of them together. */
const TELL_AFTER_MS = 30;
/** How often silence is looked at. */
const WATCH_EVERY_MS = 500;

/** Hears what pages want of simulations: who may, whether it makes sense, and who is to know. */
export class ControlDesk implements PageControl {
  readonly #options: ControlDeskOptions;
  readonly #pages = new Map<number, ControllingPage>();
  readonly #watch: NodeJS.Timeout;
  #seat: Seat = FREE_SEAT;
  #telling: NodeJS.Timeout | undefined;
  #told = '';

  constructor(options: ControlDeskOptions) {
    this.#options = options;
    this.#watch = setInterval(() => this.#look(), WATCH_EVERY_MS);
    this.#watch.unref();
  }

  opened(page: ControllingPage): void {
    this.#pages.set(page.id, page);
    this.#tell(page);
  }

  closed(page: ControllingPage): void {
    this.#pages.delete(page.id);
    this.#sit(withoutPage(this.#seat, page.id, performance.now()));
  }

  /** Something that pages are shown has changed. */
  changed(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      for (const page of this.#pages.values()) this.#tell(page);
    }, TELL_AFTER_MS).unref();
  }

  requested(page: ControllingPage, request: ControlRequest): Outcome | Promise<Outcome> {
    const nowMs = performance.now();
    if (request.type === 'control-seat') {
      const seat = seatAfter(this.#seat, { page: page.id, action: request.action, nowMs });
      if (!seat.ok) return seat;
      this.#sit(seat.value);
      return success(undefined);
    }
    if (this.#seat.holder !== page.id) {
      const has = this.#seat.holder === null ? 'nobody has it' : `${nameOf(this.#seat.holder)} has it`;
      return failure(wireError('L2M_CONTROL_NEEDED', has));
    }
    this.#seat = afterSign(this.#seat, page.id, nowMs);
    switch (request.type) {
      case 'control-simulation':
        return this.#command(request.target, request.command);
      case 'teleoperate':
        return this.#steer(request);
      case 'drag':
        return this.#drag(page, request);
    }
  }

  close(): void {
    clearInterval(this.#watch);
    clearTimeout(this.#telling);
    this.#options.hands.close();
  }

  #command(target: ControlTarget, command: SimulationCommand): Outcome {
    const outcome =
      target.kind === 'run' ? this.#commandRun(target.run, command) : this.#commandOne(target.key, command);
    this.changed();
    return outcome;
  }

  #commandOne(key: string, command: SimulationCommand): Outcome {
    const view = this.#viewOf(key);
    if (!view.ok) return view;
    const { hands, engine, runs } = this.#options;
    const runPaused = runs.stateOf(view.value.run)?.state === 'paused';
    switch (command.kind) {
      case 'pause':
        hands.pause(view.value);
        break;
      case 'resume':
        if (runPaused)
          return failure(wireError('L2M_RUN_STATE', `${view.value.run} is paused as a whole; resume the run`));
        hands.resume(view.value);
        break;
      case 'step':
        hands.step(view.value, runPaused);
        break;
      case 'reset':
        engine.restart(view.value.episode);
        break;
      case 'speed':
        hands.setSpeed(view.value, command.speed);
        break;
    }
    return success(undefined);
  }

  #commandRun(run: string, command: SimulationCommand): Outcome {
    const { hands, engine, runs } = this.#options;
    const state = runs.stateOf(run)?.state;
    if (state === undefined) return failure(wireError('L2M_RUN_UNKNOWN', JSON.stringify(run)));
    const views = [...engine.views()].filter((view) => view.run === run);
    try {
      switch (command.kind) {
        case 'pause':
          runs.pause(run);
          break;
        case 'resume':
          runs.resume(run);
          for (const view of views) hands.resume(view);
          break;
        case 'step':
          if (state !== 'paused') runs.pause(run);
          for (const view of views) hands.step(view, true);
          break;
        case 'reset':
          for (const view of views) engine.restart(view.episode);
          break;
        case 'speed':
          hands.setRunSpeed(run, command.speed, views);
          break;
      }
    } catch (thrown) {
      return failure(errorFromUnknown(thrown).toWire());
    }
    return success(undefined);
  }

  #steer({ key, episode, action }: { key: string; episode: number; action: readonly number[] | null }): Outcome {
    const view = this.#takenView(key, action === null);
    if (!view.ok) return view;
    // It has just ended, and the next one has begun: the page will know in a moment.
    if (view.value.episode !== episode) return success(undefined);
    const size = this.#options.specOf(view.value.plan.task).actionSize;
    if (action !== null && action.length !== size) {
      return failure(
        wireError('L2M_CONTROL_UNSUITED', `${action.length} numbers, ${view.value.plan.task} takes ${size}`),
      );
    }
    const steered = this.#options.hands.steers(view.value);
    this.#options.hands.steer(view.value, action);
    if (steered !== (action !== null)) this.changed();
    return success(undefined);
  }

  async #drag(page: ControllingPage, request: { key: string; episode: number; pull: Pull | null }): Promise<Outcome> {
    const { key, episode, pull } = request;
    const view = this.#takenView(key, pull === null);
    if (!view.ok) return view;
    if (view.value.episode !== episode) return success(undefined);
    if (pull !== null) {
      const { task } = view.value.plan;
      const bodies = await this.#options.bodiesOf(task);
      if (pull.body >= bodies) {
        const last = bodies === 0 ? 'are not known yet' : `are 1 to ${bodies - 1}`;
        return failure(wireError('L2M_CONTROL_UNSUITED', `body ${pull.body}; those of ${task} ${last}`));
      }
      // The seat may be another's by now, or the episode over.
      if (this.#seat.holder !== page.id || this.#viewAt(key)?.episode !== episode) return success(undefined);
    }
    this.#options.hands.drag(view.value, pull);
    this.changed();
    return success(undefined);
  }

  /** An environment that a person may take part in. Letting go is always allowed. */
  #takenView(key: string, lettingGo: boolean): Result<RunningView, WireError> {
    const view = this.#viewOf(key);
    if (!view.ok || lettingGo || this.#options.runs.stateOf(view.value.run)?.kind === 'evaluate') return view;
    return failure(wireError('L2M_CONTROL_UNSUITED', `${view.value.run} collects data to learn from`));
  }

  #viewOf(key: string): Result<RunningView, WireError> {
    const view = this.#viewAt(key);
    return view === undefined ? failure(wireError('L2M_ENVIRONMENT_UNKNOWN', JSON.stringify(key))) : success(view);
  }

  #viewAt(key: string): RunningView | undefined {
    for (const view of this.#options.engine.views()) if (view.key === key) return view;
    return undefined;
  }

  #sit(seat: Seat): void {
    if (seat === this.#seat) return;
    if (seat.holder !== this.#seat.holder) this.#options.hands.letGo();
    this.#seat = seat;
    this.changed();
  }

  /** What nobody stands behind any more does not last: a page that was closed must not hold up a run for ever. */
  #look(): void {
    const { hands, engine, notice } = this.#options;
    const abandoned =
      this.#seat.holder === null && performance.now() - this.#seat.sinceMs >= WIRE_LIMITS.controlSilenceMs;
    if (abandoned && hands.lift(engine.views())) {
      notice('info', 'Nobody is in control: environments that were paused or slowed by hand go on as before.');
      this.changed();
    }
    // Steering and pulls run out in silence.
    const told = this.#state();
    if (told !== this.#told) this.changed();
  }

  #state(): string {
    const { hands, engine } = this.#options;
    return JSON.stringify([isStealable(this.#seat, performance.now()), hands.environments(engine.views())]);
  }

  #tell(page: ControllingPage): void {
    const { hands, engine } = this.#options;
    const { holder, waiting } = this.#seat;
    this.#told = this.#state();
    page.send({
      type: 'control-updated',
      seat: holder === null ? 'free' : holder === page.id ? 'mine' : 'other',
      controller: holder === null ? '' : nameOf(holder),
      waiting: waiting.length,
      asked: waiting.includes(page.id),
      stealable: isStealable(this.#seat, performance.now()),
      environments: hands.environments(engine.views()).slice(0, WIRE_LIMITS.environmentsPerPage),
      speeds: hands.speeds().slice(0, 64),
    });
  }
}

function nameOf(page: number): string {
  return `page ${page}`;
}
