import type { ModelConfig } from '../../agent/config.ts';
import type { ContextWindow } from '../../agent/context/context-window.ts';
import { windowArrays } from '../../agent/context/window-arrays.ts';
import type { WindowArrays } from './host-messages.ts';

/** A decision with all that it was made from. */
export interface DecisionSnapshot {
  readonly step: number;
  /** [d] */
  readonly tokens: Int32Array;
  readonly selected: number;
  readonly version: number;
  /** What earlier steps had settled on, where steps vote. */
  readonly held?: number;
  /** One window, with the tokens as the newest step's actions. */
  readonly windows: WindowArrays;
}

/** Remembers the newest decision of an episode, so that it can be explained while the simulator takes its step. */
export class DecisionMemory {
  readonly #window: ContextWindow;
  readonly #model: ModelConfig;
  #newest: Omit<DecisionSnapshot, 'windows'> | undefined;
  #waiting: ((snapshot: DecisionSnapshot) => void)[] = [];

  constructor(window: ContextWindow, model: ModelConfig) {
    this.#window = window;
    this.#model = model;
  }

  /** The window shows another step, about which nothing is decided yet. */
  observed(): void {
    this.#newest = undefined;
  }

  decided(newest: Omit<DecisionSnapshot, 'windows'>): void {
    this.#newest = newest;
    for (const resolve of this.#waiting.splice(0)) resolve(this.#copied(newest));
  }

  /** The newest decision, or the next one while it is under way. Does not resolve if the episode ends before. */
  snapshot(): Promise<DecisionSnapshot> {
    const newest = this.#newest;
    if (newest !== undefined) return Promise.resolve(this.#copied(newest));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Copied at once: the next row changes the window. */
  #copied(newest: Omit<DecisionSnapshot, 'windows'>): DecisionSnapshot {
    const { batch, ...arrays } = windowArrays(this.#model, 1);
    this.#window.writeInto({ batch, ...arrays }, 0);
    arrays.actionTokens.set(newest.tokens, (this.#model.context - 1) * this.#model.actionSize);
    const held = newest.held === undefined ? {} : { heldRows: Int32Array.of(newest.held) };
    return { ...newest, windows: { count: 1, actionDimensions: newest.tokens.length, ...arrays, ...held } };
  }
}
