import type { Grip, Place } from '../control/grip.ts';
import type { PoseSource } from './pose-track.ts';
import type { ViewChoices, ViewSettings } from './view-settings.ts';

export type TileStatus =
  { readonly kind: 'loading' } | { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly reason: string };

export interface TileOptions {
  readonly task: string;
  /** Content address of the scene. */
  readonly scene: string;
  /** The newest poses of the environment; asked again for every picture. */
  readonly track: () => PoseSource | undefined;
  /** Contacts [n, 11] of the newest poses; null while nobody wants to see them. */
  readonly contacts?: () => Float32Array | null;
  /** Poses to draw on top of those, seen through; of the same scene. */
  readonly ghost?: () => PoseSource | null;
  /** `ready` once the first picture is there. */
  readonly onStatus: (status: TileStatus) => void;
}

export interface Tile {
  orbitBy(deltaX: number, deltaY: number): void;
  zoomBy(factor: number): void;
  resetView(): void;
  /** What there is to choose from; null until the scene is there. */
  choices(): ViewChoices | null;
  settings(): ViewSettings;
  change(settings: Partial<ViewSettings>): void;
  /** Body and geom at a place of the picture, from -1 (left, lower edge) to 1; null where there is none. */
  nameAt(x: number, y: number): string | null;
  /** The view as text, for an address; empty while nobody has moved the camera. */
  view(): string;
  /** Takes up what `view` gave; other text is ignored. */
  lookAs(view: string): void;
  /** What can be pulled at a place of the picture, if anything; where that is by now; where a pointer pulls it to, [3] in the world. */
  grip(place: Place): Grip | null;
  heldAt(grip: Grip): Place | null;
  targetAt(grip: Grip, place: Place): [number, number, number] | null;
  remove(): void;
}
