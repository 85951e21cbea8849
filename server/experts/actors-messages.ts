import type { ExpertShape } from '../../agent/experts/expert-shape.ts';
import type { BackendOptions } from '../tensors/backend.ts';

/** What the process of trained experts is asked. */
export type ActorsRequest =
  | {
      readonly type: 'load';
      readonly name: string;
      readonly shape: ExpertShape;
      /** The actor's vector. */
      readonly actor: Float32Array;
      /** Most rows of one question. */
      readonly rows: number;
      readonly backend: BackendOptions;
    }
  /** `observations` [n, W], n at most the rows loaded for. */
  | { readonly type: 'choose'; readonly name: string; readonly observations: Float32Array };

export type ActorsReply =
  | { readonly type: 'loaded' }
  /** [n, A] without chance */
  | { readonly type: 'actions'; readonly actions: Float32Array };
