import { signal } from '@preact/signals';
import type { ControlRequest } from '../../protocol/control-messages.ts';
import type { EnvironmentView } from '../../protocol/dashboard-views.ts';
import { domainOf } from '../../protocol/task.ts';
import { actionOf, chosenDimension, isActive, isSteeringKey, type Controls } from './bindings.ts';

const SEND_EVERY_MS = 50;

export interface SteeringOptions {
  readonly send: (request: ControlRequest) => void;
  readonly environment: (key: string) => EnvironmentView | undefined;
}

/** Turns keys and gamepad into actions of one environment while a person steers it. */
export class Steering {
  /** Key of the environment that is steered; null while none is. */
  readonly target = signal<string | null>(null);
  readonly dimension = signal(0);
  readonly gamepad = signal('');
  readonly #options: SteeringOptions;
  readonly #keys = new Set<string>();
  #grip = -1;
  #gripPressed = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #moving = false;

  constructor(options: SteeringOptions) {
    this.#options = options;
  }

  start(key: string): void {
    this.stop();
    this.target.value = key;
    this.dimension.value = 0;
    this.#grip = -1;
    addEventListener('keydown', this.#pressed, { capture: true });
    addEventListener('keyup', this.#released, { capture: true });
    addEventListener('blur', this.#left);
    this.#timer = setInterval(() => this.#tick(), SEND_EVERY_MS);
  }

  /** Hands back. */
  stop(): void {
    const key = this.target.peek();
    if (key === null) return;
    removeEventListener('keydown', this.#pressed, { capture: true });
    removeEventListener('keyup', this.#released, { capture: true });
    removeEventListener('blur', this.#left);
    clearInterval(this.#timer);
    this.#left();
    this.#moving = false;
    this.target.value = null;
    const environment = this.#options.environment(key);
    if (environment !== undefined) this.#send(environment, null);
  }

  /** Says what is wanted now, if anything is; once more when everything was let go; then nothing. */
  #tick(): void {
    const environment = this.#options.environment(this.target.peek() ?? '');
    if (environment === undefined) return;
    const controls = this.#controls();
    const active = isActive(controls);
    if (active || this.#moving) {
      this.#send(environment, actionOf(environment.task, environment.actionSize ?? 1, controls));
    }
    this.#moving = active;
  }

  #controls(): Controls {
    const pad = navigator.getGamepads().find((each) => each?.connected === true);
    if (this.gamepad.peek() !== (pad?.id ?? '')) this.gamepad.value = pad?.id ?? '';
    const pressed = pad?.buttons[0]?.pressed === true;
    if (pressed && !this.#gripPressed) this.#toggleGrip();
    this.#gripPressed = pressed;
    return { keys: this.#keys, axes: pad?.axes ?? [], grip: this.#grip, dimension: this.dimension.peek() };
  }

  #toggleGrip(): void {
    this.#grip = -this.#grip;
    this.#moving = true;
  }

  #send({ key, episode }: EnvironmentView, action: number[] | null): void {
    this.#options.send({ type: 'teleoperate', key, episode, action });
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    if (event.code === 'Escape') {
      this.stop();
    } else if (isSteeringKey(event.code) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const environment = this.#options.environment(this.target.peek() ?? '');
      if (environment === undefined) return;
      const hand = domainOf(environment.task) === 'metaworld';
      if (event.code === 'KeyG' && hand && !event.repeat) this.#toggleGrip();
      if (!hand) this.dimension.value = chosenDimension(event.code, this.dimension.peek(), environment.actionSize ?? 1);
      this.#keys.add(event.code);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  readonly #released = (event: KeyboardEvent): void => {
    this.#keys.delete(event.code);
  };

  readonly #left = (): void => this.#keys.clear();
}
