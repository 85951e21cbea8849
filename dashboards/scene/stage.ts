import { Color, Fog, type WebGLRenderer } from 'three';
import { gripAt, heldAt, targetAt, type Grip, type Place } from '../control/grip.ts';
import { Coarseness } from './coarseness.ts';
import { drawGhost } from './ghost.ts';
import { MirrorPass } from './mirror.ts';
import { nameAt } from './picking.ts';
import { chooseQuality } from './quality.ts';
import { createRenderer } from './renderer.ts';
import { SceneLibrary } from './scene-library.ts';
import type { SceneModel } from './scene-model.ts';
import { StageLayout, type Rectangle } from './stage-layout.ts';
import type { Tile, TileOptions } from './tile.ts';
import { ViewRig } from './view-rig.ts';
import { FIRST_GROUPS, type ShownGroups } from './view-settings.ts';

interface TileState {
  readonly element: HTMLElement;
  readonly options: TileOptions;
  model: SceneModel | null;
  rig: ViewRig | null;
  groups: ShownGroups;
  /** What the picture on the canvas was made from; empty if there is none. */
  drawn: string;
  drawnAt: number;
  ready: boolean;
}

export interface StageOptions {
  /** Holds the tiles and, behind them, the canvas. */
  readonly container: HTMLElement;
  readonly fetchScene: (path: string) => Promise<Response>;
  /** How often something was drawn in the last second; called once a second. */
  readonly onFps: (fps: number) => void;
}

/**
 * Without a graphics card, pictures are drawn in turn, as many as fit into this time; then the page rests as long as that
 * took, so that it answers to its user however slow drawing is.
 */
const SOFTWARE_BUDGET_MS = 25;

/**
 * One renderer and one canvas behind all tiles. Browsers allow a page a dozen WebGL contexts and share nothing between
 * them; with one, every environment of a task shares geometry, and each tile is a rectangle to draw into.
 * Only tiles whose picture has changed are drawn; the others stay on the canvas as they are.
 */
export class Stage {
  readonly #options: StageOptions;
  readonly #quality = chooseQuality();
  readonly #renderer: WebGLRenderer;
  readonly #mirrors: MirrorPass | null;
  readonly #layout: StageLayout;
  readonly #library: SceneLibrary;
  readonly #tiles = new Set<TileState>();
  readonly #background = new Color();
  #animation = 0;
  #cleared = false;
  readonly #coarseness = new Coarseness(this.#quality.pixelRatio);
  #restUntil = 0;
  #pictures = 0;
  #countedAt = 0;

  /** @throws Error if the browser has no WebGL2 */
  constructor(options: StageOptions) {
    this.#options = options;
    const canvas = document.createElement('canvas');
    canvas.className = 'stage-canvas';
    canvas.setAttribute('aria-hidden', 'true');
    this.#renderer = createRenderer(canvas, this.#quality);
    this.#renderer.setScissorTest(true);
    this.#renderer.autoClear = false;
    this.#mirrors = this.#quality.mirrors ? new MirrorPass(this.#renderer) : null;
    options.container.prepend(canvas);
    this.#library = new SceneLibrary(options.fetchScene);
    this.#layout = new StageLayout(options.container, canvas);
    this.setBackground();
    this.#animation = requestAnimationFrame(this.#frame);
  }

  addTile(element: HTMLElement, options: TileOptions): Tile {
    const tile: TileState = {
      ...{ element, options, model: null, rig: null, groups: FIRST_GROUPS },
      ...{ drawn: '', drawnAt: 0, ready: false },
    };
    this.#tiles.add(tile);
    this.#layout.add(element);
    let removed = false;
    let wantedView = '';
    options.onStatus({ kind: 'loading' });
    this.#library.use(options.scene).then(
      (model) => {
        if (removed) return;
        tile.model = model;
        tile.rig = new ViewRig(options.task, model);
        tile.rig.lookAs(wantedView);
      },
      (error: unknown) => {
        if (!removed) options.onStatus({ kind: 'failed', reason: error instanceof Error ? error.message : 'unknown' });
      },
    );
    return {
      orbitBy: (deltaX, deltaY) => tile.rig?.orbitBy(deltaX, deltaY),
      zoomBy: (factor) => tile.rig?.zoomBy(factor),
      resetView: () => tile.rig?.reset(),
      choices: () => tile.model?.choices ?? null,
      settings: () => ({ ...(tile.rig?.seat ?? { camera: null, follow: 0 }), groups: tile.groups }),
      change: ({ camera, follow, groups }) => {
        if (camera !== undefined) tile.rig?.useCamera(camera);
        if (follow !== undefined) tile.rig?.follow(follow);
        tile.groups = groups ?? tile.groups;
        tile.drawn = '';
      },
      nameAt: (x, y) => this.#nameAt(tile, x, y),
      view: () => tile.rig?.view() ?? wantedView,
      lookAs: (view) => {
        wantedView = view;
        tile.rig?.lookAs(view);
      },
      grip: (place) => this.#grip(tile, place),
      heldAt: (grip) => {
        const poses = options.track()?.at(performance.now()) ?? null;
        return tile.rig === null || poses === null ? null : heldAt({ camera: tile.rig.camera, poses }, grip);
      },
      targetAt: (grip, place) => (tile.rig === null ? null : targetAt(tile.rig.camera, grip, place)),
      remove: () => {
        removed = true;
        this.#tiles.delete(tile);
        this.#layout.remove(element);
        this.#library.release(options.scene);
      },
    };
  }

  /** What is drawn on: for pictures and films of it. */
  get canvas(): HTMLCanvasElement {
    return this.#renderer.domElement;
  }

  /** Takes the colour behind the scenes from the page's theme. */
  setBackground(): void {
    const value = getComputedStyle(this.#options.container).getPropertyValue('--stage').trim();
    this.#background.set(value === '' ? '#20262e' : value);
    this.#cleared = false;
  }

  dispose(): void {
    cancelAnimationFrame(this.#animation);
    this.#layout.dispose();
    this.#library.dispose();
    this.#mirrors?.dispose();
    this.#renderer.dispose();
    this.#renderer.domElement.remove();
  }

  readonly #frame = (): void => {
    this.#animation = requestAnimationFrame(this.#frame);
    const now = performance.now();
    if (now - this.#countedAt >= 1000) {
      this.#options.onFps(Math.round((this.#pictures * 1000) / (now - this.#countedAt)));
      this.#pictures = 0;
      this.#countedAt = now;
    }
    if (this.#layout.follow()) this.#cleared = false;
    if (!this.#cleared) this.#clear();
    const due = [...this.#tiles].filter((tile) => this.#isDue(tile, now));
    if (due.length === 0) {
      this.#coarseness.rest();
      return;
    }
    if (this.#quality.software && now < this.#restUntil) return;
    if (this.#quality.software) this.#drawInTurn(due, now);
    else for (const tile of due) this.#draw(tile, now);
    this.#pictures++;
    if (!this.#quality.software && this.#coarseness.drawn(now)) this.#cleared = false;
  };

  #isDue(tile: TileState, now: number): boolean {
    if (tile.model === null || this.#layout.rectangle(tile.element) === null) return false;
    const track = tile.options.track();
    if (track?.newest == null) return false;
    return tile.drawn !== versionOf(tile) || track.moving(Math.min(now, tile.drawnAt));
  }

  /** A readback of one pixel waits until the picture is really there: only then is it known what it cost. */
  #drawInTurn(due: TileState[], startedAt: number): void {
    const context = this.#renderer.getContext();
    const pixel = new Uint8Array(4);
    due.sort((a, b) => a.drawnAt - b.drawnAt);
    for (const tile of due) {
      this.#draw(tile, performance.now());
      context.readPixels(0, 0, 1, 1, context.RGBA, context.UNSIGNED_BYTE, pixel);
      if (performance.now() - startedAt > SOFTWARE_BUDGET_MS) break;
    }
    const finishedAt = performance.now();
    this.#restUntil = finishedAt + (finishedAt - startedAt);
  }

  #draw(tile: TileState, now: number): void {
    const rectangle = this.#layout.rectangle(tile.element);
    const poses = tile.options.track()?.at(now) ?? null;
    const { model, rig } = tile;
    if (rectangle === null || model === null || rig === null || poses === null) return;
    tile.drawn = versionOf(tile);
    tile.drawnAt = now;
    model.show(tile.groups);
    model.touch(tile.options.contacts?.() ?? null);
    model.pose(poses);
    rig.update(model, poses, rectangle.width / rectangle.height);
    const reach = Math.max(4 * model.manifest.view.extent, 2 * rig.camera.position.length());
    model.scene.fog = model.hasSky ? null : new Fog(this.#background.getHex(), 0.6 * reach, 4 * reach);
    this.#aim(rectangle);
    this.#mirrors?.draw(model, rig.camera);
    this.#renderer.setClearColor(this.#background, 1);
    this.#renderer.clear();
    this.#renderer.render(model.scene, rig.camera);
    const ghost = tile.options.ghost?.()?.at(now) ?? null;
    if (ghost !== null && ghost.length === poses.length) {
      drawGhost({ renderer: this.#renderer, model }, rig.camera, { poses: ghost, beside: poses });
    }
    if (!tile.ready) {
      tile.ready = true;
      tile.options.onStatus({ kind: 'ready' });
    }
  }

  #nameAt({ model, rig, options, groups }: TileState, x: number, y: number): string | null {
    const poses = options.track()?.at(performance.now()) ?? null;
    if (model === null || rig === null || poses === null) return null;
    // Tiles share their models: this one has to be in its place again before it is asked what is where.
    model.show(groups);
    model.pose(poses);
    return nameAt(model, rig.camera, { x, y });
  }

  #clear(): void {
    const { width, height } = this.#layout.canvasSize;
    if (width === 0 || height === 0) return;
    this.#cleared = true;
    this.#renderer.setPixelRatio(this.#coarseness.pixelRatio);
    this.#renderer.setSize(width, height, true);
    this.#renderer.setClearColor(this.#background, 0);
    this.#aim({ x: 0, y: 0, width, height });
    this.#renderer.clear();
    for (const tile of this.#tiles) tile.drawn = '';
  }

  #grip({ model, rig, options }: TileState, place: Place): Grip | null {
    const poses = options.track()?.at(performance.now()) ?? null;
    if (model === null || rig === null || poses === null) return null;
    model.pose(poses);
    return gripAt({ model, camera: rig.camera, poses }, place);
  }

  #aim({ x, y, width, height }: Rectangle): void {
    this.#renderer.setViewport(x, y, width, height);
    this.#renderer.setScissor(x, y, width, height);
  }
}

function versionOf(tile: TileState): string {
  const { track, ghost } = tile.options;
  return `${track()?.version ?? 0}.${tile.rig?.version ?? 0}.${ghost?.()?.version ?? ''}`;
}
