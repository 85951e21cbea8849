import type { ErrorCode } from '../../protocol/error-codes.ts';
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
  readonly taskIndices: Int32Array; // [B] place in the policy's order of tasks
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
    }
  | {
      readonly type: 'prepare';
      readonly request: number;
      readonly model: string;
      readonly dimensions: readonly number[];
    }
  | { readonly type: 'decide'; readonly request: number; readonly model: string; readonly windows: WindowArrays };

export type HostReply =
  | { readonly type: 'ready'; readonly backend: HostBackendView }
  | { readonly type: 'loaded'; readonly request: number; readonly view: HostModelView }
  | { readonly type: 'prepared'; readonly request: number }
  | {
      readonly type: 'decided';
      readonly request: number;
      /** int32 [B, d] */
      readonly actionTokens: Int32Array;
      /** d, at least what was asked for. */
      readonly actionDimensions: number;
      readonly selected: Int32Array; // [B], -1 without a pool
      readonly similarities: Float32Array; // [B]
      readonly decideMs: number;
      readonly version: number;
    }
  | { readonly type: 'failed'; readonly request: number | undefined; readonly code: ErrorCode; readonly got: string }
  | { readonly type: 'progress'; readonly text: string };

export type Decided = Extract<HostReply, { type: 'decided' }>;

/** How the child learns what to use; the environment is read before TensorFlow loads. */
export interface HostSettings {
  readonly backend: ServerConfig['backend'];
  readonly threadCount: number;
  readonly precision: ServerConfig['precision'];
}
