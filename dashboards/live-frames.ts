import type { Frames } from '../protocol/dashboard-messages.ts';
import { STEP_FLAGS } from '../protocol/simulator-messages.ts';
import { tensorView } from '../protocol/tensor.ts';
import { Curve } from './curve.ts';
import { LivePast } from './replay/live-past.ts';
import { PoseTrack } from './scene/pose-track.ts';

/** The fast numbers of one environment as the page last heard them. */
export interface LiveNumbers {
  readonly episode: number;
  readonly step: number;
  readonly reward: number;
  readonly return: number;
  /** At any time so far in this episode. */
  readonly success: boolean;
  readonly selection: number;
  readonly similarity: number;
}

export interface LiveEnvironment {
  numbers: LiveNumbers;
  readonly curve: Curve;
  readonly poses: PoseTrack;
  readonly past: LivePast;
  /** [n, 11] of the newest poses; empty where nothing touches or nobody asked. */
  contacts: Float32Array;
}

const NO_CONTACTS = new Float32Array(0);

/** All pictures of the past together take so many bytes; of one environment half a minute at most. */
const PAST_BYTES = 48 * 1024 * 1024;
const MOST_PAST = 900;

/** What `frames` messages bring, by environment. Changed in place: it is read by drawing code, not by the view tree. */
export class LiveFrames {
  readonly environments = new Map<string, LiveEnvironment>();
  /** Frames received, and when the last one came (milliseconds of `performance.now`). */
  received = 0;
  lastAt = 0;

  clear(): void {
    this.environments.clear();
  }

  /** An environment is drawn with another scene from now on: what it did before cannot be shown in it. */
  sceneChanged(key: string): void {
    this.environments.get(key)?.past.clear();
  }

  /** @param now when it arrived */
  apply(message: Frames, tensors: readonly Uint8Array[], now: number): void {
    const episodes = tensorView(message.episodes, tensors, 'uint32');
    const steps = tensorView(message.steps, tensors, 'uint32');
    const rewards = tensorView(message.rewards, tensors, 'float32');
    const returns = tensorView(message.returns, tensors, 'float32');
    const flags = tensorView(message.flags, tensors, 'uint8');
    const selections = tensorView(message.selections, tensors, 'int32');
    const similarities = tensorView(message.similarities, tensors, 'float32');
    const poseCounts = tensorView(message.poseCounts, tensors, 'uint16');
    const poses = tensorView(message.poses, tensors, 'float32');
    const contactCounts = message.contactCounts && tensorView(message.contactCounts, tensors, 'uint16');
    const contacts = message.contacts ? tensorView(message.contacts, tensors, 'float32') : NO_CONTACTS;
    let row = 0;
    let contact = 0;
    for (const [index, key] of message.keys.entries()) {
      const numbers: LiveNumbers = {
        episode: episodes[index] ?? 0,
        step: steps[index] ?? 0,
        reward: rewards[index] ?? 0,
        return: returns[index] ?? 0,
        success: ((flags[index] ?? 0) & STEP_FLAGS.success) !== 0,
        selection: selections[index] ?? -1,
        similarity: similarities[index] ?? 0,
      };
      const rows = poseCounts[index] ?? 0;
      this.#update(key, numbers, { poses: poses.subarray(row * 7, (row + rows) * 7), now });
      row += rows;
      const touching = contactCounts?.[index] ?? 0;
      this.environments.get(key)!.contacts = contacts.slice(contact * 11, (contact + touching) * 11);
      contact += touching;
    }
    this.#forgetOthers(message.keys);
    this.received++;
    this.lastAt = now;
  }

  #update(key: string, numbers: LiveNumbers, picture: { poses: Float32Array; now: number }): void {
    let environment = this.environments.get(key);
    if (environment === undefined) {
      environment = {
        numbers,
        curve: new Curve(),
        poses: new PoseTrack(),
        past: new LivePast(),
        contacts: NO_CONTACTS,
      };
      this.environments.set(key, environment);
    }
    if (environment.numbers.episode !== numbers.episode || numbers.step < environment.numbers.step) {
      environment.curve.clear();
    }
    environment.numbers = numbers;
    if (numbers.step > 0) environment.curve.add(numbers.step, numbers.reward, numbers.return);
    if (picture.poses.length > 0) {
      const { episode, step, reward } = numbers;
      environment.poses.add({ episode, step, poses: picture.poses, at: picture.now });
      const { newest } = environment.poses;
      if (newest?.at === picture.now) {
        const most = PAST_BYTES / this.environments.size / newest.poses.byteLength;
        environment.past.add({ ...newest, reward, return: numbers.return }, Math.min(MOST_PAST, Math.floor(most)));
      }
    }
  }

  #forgetOthers(keys: readonly string[]): void {
    if (this.environments.size === keys.length) return;
    const present = new Set(keys);
    for (const key of this.environments.keys()) {
      if (!present.has(key)) this.environments.delete(key);
    }
  }
}
