import { Color, Fog, PCFShadowMap, LinearSRGBColorSpace, ColorManagement, WebGLRenderer } from 'three';
import type { PoseTrack } from './pose-track.ts';
import { SceneLibrary } from './scene-library.ts';
import type { SceneModel } from './scene-model.ts';
import { StageLayout } from './stage-layout.ts';
import { ViewRig } from './view-rig.ts';

// MuJoCo's renderer adds colours as they are; so do we.
ColorManagement.enabled = false;

export type TileStatus =
  { readonly kind: 'loading' } | { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly reason: string };

export interface TileOptions {
  readonly task: string;
  /** Content address of the scene. */
  readonly scene: string;
  /** The newest poses of the environment; asked again for every picture. */
  readonly track: () => PoseTrack | undefined;
  readonly onStatus: (status: TileStatus) => void;
}

export interface Tile {
  orbitBy(deltaX: number, deltaY: number): void;
  zoomBy(factor: number): void;
  resetView(): void;
  remove(): void;
}

interface TileState {
  readonly element: HTMLElement;
  readonly options: TileOptions;
  model: SceneModel | null;
  rig: ViewRig | null;
}

export interface StageOptions {
  /** Holds the tiles and, behind them, the canvas. */
  readonly container: HTMLElement;
  readonly fetchScene: (path: string) => Promise<Response>;
  /** Pictures drawn in the last second; called once a second. */
  readonly onFps: (fps: number) => void;
}

/** A picture that takes longer than this makes the next ones coarser. */
const SLOW_PICTURE_MS = 28;

/**
 * One renderer and one canvas behind all tiles. Browsers allow a page a dozen WebGL contexts and share nothing between
 * them; with one, every environment of a task shares geometry, and each tile is a rectangle to draw into.
 */
export class Stage {
  readonly #options: StageOptions;
  readonly #renderer: WebGLRenderer;
  readonly #layout: StageLayout;
  readonly #library: SceneLibrary;
  readonly #tiles = new Set<TileState>();
  readonly #software: boolean;
  readonly #background = new Color();
  #animation = 0;
  #drawnVersion = '';
  #redraw = true;
  #pixelRatio: number;
  #pictureMs = 0;
  #pictures = 0;
  #countedAt = 0;

  /** @throws Error if the browser has no WebGL2 */
  constructor(options: StageOptions) {
    this.#options = options;
    const canvas = document.createElement('canvas');
    canvas.className = 'stage-canvas';
    canvas.setAttribute('aria-hidden', 'true');
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: 'high-performance' });
    this.#software = isSoftware(this.#renderer);
    this.#pixelRatio = this.#software ? 1 : Math.min(2, devicePixelRatio);
    this.#renderer.outputColorSpace = LinearSRGBColorSpace;
    this.#renderer.shadowMap.enabled = true;
    this.#renderer.shadowMap.type = PCFShadowMap;
    this.#renderer.setScissorTest(true);
    this.#renderer.autoClear = false;
    options.container.prepend(canvas);
    this.#library = new SceneLibrary(options.fetchScene);
    this.#layout = new StageLayout(options.container, canvas, () => this.invalidate());
    this.setBackground();
    this.#animation = requestAnimationFrame(this.#frame);
  }

  /** Whether pictures are computed without a graphics card. */
  get software(): boolean {
    return this.#software;
  }

  addTile(element: HTMLElement, options: TileOptions): Tile {
    const tile: TileState = { element, options, model: null, rig: null };
    this.#tiles.add(tile);
    this.#layout.add(element);
    let removed = false;
    options.onStatus({ kind: 'loading' });
    this.#library.use(options.scene).then(
      (model) => {
        if (removed) return;
        tile.model = model;
        tile.rig = new ViewRig(options.task, model);
        this.invalidate();
        options.onStatus({ kind: 'ready' });
      },
      (error: unknown) => {
        if (!removed) options.onStatus({ kind: 'failed', reason: error instanceof Error ? error.message : 'unknown' });
      },
    );
    return {
      orbitBy: (deltaX, deltaY) => tile.rig?.orbitBy(deltaX, deltaY),
      zoomBy: (factor) => tile.rig?.zoomBy(factor),
      resetView: () => tile.rig?.reset(),
      remove: () => {
        removed = true;
        this.#tiles.delete(tile);
        this.#layout.remove(element);
        this.#library.release(options.scene);
        this.invalidate();
      },
    };
  }

  /** Takes the colour behind the scenes from the page's theme. */
  setBackground(): void {
    const value = getComputedStyle(this.#options.container).getPropertyValue('--stage').trim();
    this.#background.set(value === '' ? '#20262e' : value);
    this.invalidate();
  }

  invalidate(): void {
    this.#redraw = true;
  }

  dispose(): void {
    cancelAnimationFrame(this.#animation);
    this.#layout.dispose();
    this.#renderer.dispose();
    this.#renderer.domElement.remove();
  }

  readonly #frame = (now: number): void => {
    this.#animation = requestAnimationFrame(this.#frame);
    if (now - this.#countedAt >= 1000) {
      this.#options.onFps(Math.round((this.#pictures * 1000) / (now - this.#countedAt)));
      this.#pictures = 0;
      this.#countedAt = now;
    }
    this.#layout.follow();
    const visible = [...this.#tiles].filter((tile) => this.#layout.rectangle(tile.element) !== null);
    if (!this.#redraw && !changed(visible) && this.#drawnVersion === version(visible)) return;
    this.#redraw = false;
    this.#drawnVersion = version(visible);
    this.#draw(visible);
    this.#pictures++;
  };

  #draw(tiles: readonly TileState[]): void {
    const startedAt = performance.now();
    const { width, height } = this.#layout.canvasSize;
    const renderer = this.#renderer;
    if (this.#layout.resized || renderer.getPixelRatio() !== this.#pixelRatio) {
      renderer.setPixelRatio(this.#pixelRatio);
      renderer.setSize(width, height, true);
      this.#layout.resized = false;
    }
    renderer.setClearColor(this.#background);
    renderer.setScissor(0, 0, width, height);
    renderer.setViewport(0, 0, width, height);
    renderer.clear();
    for (const tile of tiles) this.#drawTile(tile);
    this.#adapt(performance.now() - startedAt);
  }

  #drawTile(tile: TileState): void {
    const rectangle = this.#layout.rectangle(tile.element);
    const poses = tile.options.track()?.at(performance.now()) ?? null;
    if (rectangle === null || tile.model === null || tile.rig === null || poses === null) return;
    const { model, rig } = tile;
    model.pose(poses);
    rig.update(model, poses, rectangle.width / rectangle.height);
    model.lookFrom(rig.camera);
    const { extent } = model.manifest.view;
    const reach = Math.max(4 * extent, 2 * rig.camera.position.length());
    model.scene.fog = new Fog(this.#background.getHex(), 0.6 * reach, 4 * reach);
    this.#renderer.setViewport(rectangle.x, rectangle.y, rectangle.width, rectangle.height);
    this.#renderer.setScissor(rectangle.x, rectangle.y, rectangle.width, rectangle.height);
    this.#renderer.render(model.scene, rig.camera);
  }

  /** Coarser pictures on a slow machine: a smooth small picture says more than a sharp one that stutters. */
  #adapt(pictureMs: number): void {
    this.#pictureMs += (pictureMs - this.#pictureMs) * 0.05;
    if (this.#pictureMs < SLOW_PICTURE_MS || this.#pixelRatio <= 0.75) return;
    this.#pixelRatio = Math.max(0.75, this.#pixelRatio * 0.8);
    this.#pictureMs = 0;
    if (this.#pixelRatio < 1) this.#renderer.shadowMap.enabled = false;
  }
}

function changed(tiles: readonly TileState[]): boolean {
  const now = performance.now();
  return tiles.some((tile) => tile.model !== null && tile.options.track()?.moving(now) === true);
}

function version(tiles: readonly TileState[]): string {
  return tiles.map((tile) => `${tile.options.track()?.version ?? 0}.${tile.rig?.version ?? 0}`).join();
}

function isSoftware(renderer: WebGLRenderer): boolean {
  const context = renderer.getContext();
  const information = context.getExtension('WEBGL_debug_renderer_info');
  if (information === null) return false;
  const name = String(context.getParameter(information.UNMASKED_RENDERER_WEBGL));
  return /swiftshader|llvmpipe|software/i.test(name);
}
