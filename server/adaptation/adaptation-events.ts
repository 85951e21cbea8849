import type { Comparison } from '../../protocol/comparison.ts';
import type { BackendOptions } from '../tensors/backend.ts';
import type { ActorHooks } from './actors.ts';
import type { AdaptationSettings } from './adaptation-settings.ts';
import type { RoundRow } from './journal.ts';

export interface AdaptationOptions {
  /** `<data>/adaptations/<name>` */
  readonly folder: string;
  /** Of a resumed adaptation those in its folder count; there it may be left out. */
  readonly settings: AdaptationSettings | undefined;
  /** Rounds in all; a resumed adaptation may be given more. */
  readonly rounds: number;
  /** The checkpoint to start from. */
  readonly checkpoint: string;
  readonly resume: boolean;
  readonly overwrite: boolean;
  readonly backend: BackendOptions;
  readonly command: string;
  readonly commit: string;
}

export interface AdaptationHooks extends ActorHooks {
  /** After each round. */
  readonly round?: (row: RoundRow) => void;
}

export interface AdaptationResult {
  readonly outcome: 'finished' | 'stopped';
  readonly settings: AdaptationSettings;
  readonly rows: readonly RoundRow[];
  /** Version that acts at the end; 0 where none was promoted. */
  readonly version: number;
  /** Its checkpoint. */
  readonly checkpoint: string;
  /** The checkpoint it began with against the last version; undefined where it was stopped. */
  readonly comparison: Comparison | undefined;
}
