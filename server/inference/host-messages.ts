import type { ErrorCode } from '../../protocol/error-codes.ts';
import type { AttentionChoice } from '../../protocol/policy-messages.ts';
import type { ServerConfig } from '../config-schema.ts';

/** A batch of context windows, row-major, padded on the left (spec §1.2). B windows of T timesteps. */
export interface WindowArrays {
  readonly count: number;
  /** Action dimensions to decode: the most any window of the batch needs. */
  readonly actionDimensions: number;
  readonly states: Float32Array; // [B, T, S]
  readonly returnsToGo: Float32Array; // [B, T] scaled
  readonly actionTokens: Int32Array; // [B, T, A]
  readonly rewards: Float32Array; // [B, T] scaled
  readonly timesteps: Int32Array; // [B, T]
  readonly stepMask: Float32Array; // [B, T]
  readonly searchGroups: Int32Array; // [B] place in the policy's order of tasks or layouts
  readonly heldRows?: Int32Array; // [B] row that earlier steps settled on, -1 for none; where steps vote
  readonly chance?: Float32Array; // [B, A, V] added to the logits, zeros draw nothing; where any action of the batch is drawn
}

/** What lay behind one decision. V bins, K keys, q tokens of the whole window, x = prompts + q. */
export interface ExplainedArrays {
  /** [A, V] of the newest step */
  readonly logits: Float32Array;
  readonly similarities: Float32Array; // [K]; empty without a pool, as are the next three
  readonly keys: Float32Array; // [K, 2] in the plane in which the keys differ most
  readonly shares: readonly [number, number]; // of the keys' variance along its axes
  readonly points: Float32Array; // [2, 2] query, state of the newest step
  readonly attention: Float32Array; // [q, x] of the wanted head; empty if none is wanted
}

export interface HostBackendView {
  readonly name: string;
  readonly version: string;
  readonly captured: boolean;
  readonly detail: string;
}

export interface HostModelView {
  readonly model: string;
  readonly parameters: number;
  readonly modulation: string;
  readonly poolSize: number;
  readonly version: number;
}

export type HostRequest =
  | {
      readonly type: 'load';
      readonly request: number;
      readonly model: string;
      readonly folder: string;
      readonly maxBatch: number;
      /** Action dimensions of tasks to compile for ahead; others are compiled when first decided, which takes seconds. */
      readonly dimensions: readonly number[];
      /** Stamped on every decision of these weights. */
      readonly version: number;
    }
  | { readonly type: 'unload'; readonly request: number; readonly model: string }
  | {
      readonly type: 'prepare';
      readonly request: number;
      readonly model: string;
      readonly dimensions: readonly number[];
      /** For actions that are drawn, instead of the likeliest ones. */
      readonly drawn: boolean;
    }
  | { readonly type: 'decide'; readonly request: number; readonly model: string; readonly windows: WindowArrays }
  | {
      readonly type: 'explain';
      readonly request: number;
      readonly model: string;
      /** One window, with the chosen tokens as the newest step's actions. */
      readonly windows: WindowArrays;
      readonly attention: AttentionChoice | null;
    };

export type HostReply =
  | { readonly type: 'ready'; readonly backend: HostBackendView }
  | { readonly type: 'loaded'; readonly request: number; readonly view: HostModelView }
  | { readonly type: 'prepared' | 'unloaded'; readonly request: number }
  | {
      readonly type: 'decided';
      readonly request: number;
      /** int32 [B, d] */
      readonly actionTokens: Int32Array;
      /** d, at least what was asked for. */
      readonly actionDimensions: number;
      readonly selected: Int32Array; // [B], -1 without a pool
      readonly keys: Int32Array; // [B] best key
      readonly asked: Int32Array; // [B] row that the window asked for
      readonly similarities: Float32Array; // [B]
      readonly decideMs: number;
      readonly version: number;
    }
  | { readonly type: 'explained'; readonly request: number; readonly explained: ExplainedArrays }
  | { readonly type: 'failed'; readonly request: number | undefined; readonly code: ErrorCode; readonly got: string }
  | { readonly type: 'progress'; readonly text: string };

export type Decided = Extract<HostReply, { type: 'decided' }>;

/** How the child learns what to use; the environment is read before TensorFlow loads. */
export interface HostSettings {
  readonly backend: ServerConfig['backend'];
  readonly threadCount: number;
  readonly precision: ServerConfig['precision'];
}
