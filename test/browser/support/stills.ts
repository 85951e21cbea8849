import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { ssim } from 'ssim.js';
import { build } from 'vite';
import { leanThree } from '../../../dashboards/lean-three.ts';
import { readScene, readScenes, type RecordedScene } from './recorded-scenes.ts';

const run = promisify(execFile);
const root = new URL('../../../', import.meta.url).pathname;
const PYTHON = join(root, '.l2m/venv/bin/python');
/** Pixels of either side of a picture; `golden_scenes.py` has the same number. */
const SIDE = 480;

/** A scene at its start and what MuJoCo's own camera sees of it. */
export interface GoldenScene {
  readonly recorded: RecordedScene;
  readonly camera: number;
  /** Frame, x and y in pixels of every body in front of the camera. */
  readonly bodies: readonly (readonly [number, number, number])[];
}

/** Runs real simulators, without any renderer. @param views `metaworld/reach-v3@corner`: task and camera */
export async function goldenScenes(views: readonly string[]): Promise<GoldenScene[]> {
  if (!existsSync(PYTHON)) throw new Error('the simulators are not set up: node server/setup/bootstrap.mjs test');
  const directory = await mkdtemp(join(tmpdir(), 'l2m-golden-'));
  try {
    const script = join(root, 'test/browser/support/golden_scenes.py');
    const env = { ...process.env, PYTHONPATH: join(root, 'sim-bridge/src') };
    await run(PYTHON, [script, directory, ...views], { env, timeout: 150_000 });
    const recorded = await readScenes(directory, views.length);
    return await Promise.all(recorded.map((each, index) => goldenScene(directory, index, each)));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function goldenScene(directory: string, index: number, recorded: RecordedScene): Promise<GoldenScene> {
  const view = JSON.parse(await readFile(join(directory, `${index}.view.json`), 'utf8')) as Omit<
    GoldenScene,
    'recorded'
  >;
  return { recorded, ...view };
}

/** A scene with the picture that MuJoCo has just made of it. */
export interface SweptScene {
  readonly golden: GoldenScene;
  readonly picture: Buffer;
}

/** Every scene there is in both suites, each as soon as MuJoCo has drawn it. Needs OSMesa. */
export async function* sweptScenes(): AsyncGenerator<SweptScene> {
  if (!existsSync(PYTHON)) throw new Error('the simulators are not set up: node server/setup/bootstrap.mjs test');
  const directory = await mkdtemp(join(tmpdir(), 'l2m-sweep-'));
  const script = join(root, 'test/browser/support/sweep_scenes.py');
  const env = { ...process.env, PYTHONPATH: join(root, 'sim-bridge/src'), MUJOCO_GL: 'osmesa' };
  const child = spawn(PYTHON, [script, directory], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (bytes: Buffer) => errors.push(bytes));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  try {
    for await (const line of createInterface(child.stdout)) {
      const index = Number.parseInt(line, 10);
      const [recorded, picture] = await Promise.all([
        readScene(join(directory, String(index))),
        readFile(join(directory, `${index}.png`)),
      ]);
      yield { golden: await goldenScene(directory, index, recorded), picture };
    }
    if ((await ended) !== 0) throw new Error(`sweep_scenes.py: ${Buffer.concat(errors).toString().slice(-2000)}`);
  } finally {
    child.kill();
    await ended;
    await rm(directory, { recursive: true });
  }
}

/** The page's scene code, built as the page is, as one script that puts `drawStill` on the window as `stills`. */
export async function stillScript(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [leanThree()],
    build: {
      write: false,
      minify: false,
      lib: { entry: join(root, 'dashboards/scene/still.ts'), name: 'stills', formats: ['iife'] },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((each) => ('output' in each ? each.output : []));
  const chunk = outputs.find((each) => each.type === 'chunk');
  if (chunk === undefined) throw new Error('vite made no script of dashboards/scene/still.ts');
  return chunk.code;
}

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

export interface DrawnStill {
  readonly ours: Pixels;
  readonly reference: Pixels;
  readonly origins: readonly (readonly [number, number])[];
}

/** Draws a scene in a tab that `stillScript` was added to, and reads a reference picture with the same browser. */
export async function drawStill(tab: Page, { recorded, camera }: GoldenScene, reference: Buffer): Promise<DrawnStill> {
  const text = (bytes: ArrayBufferView) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  const { scene } = recorded;
  const drawn = await tab.evaluate<{ ours: string; reference: string; origins: [number, number][] }>(`(async () => {
    const bytes = async (base64) => (await fetch('data:;base64,' + base64)).arrayBuffer();
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = ${SIDE};
    const { origins } = stills.drawStill(canvas, {
      manifest: ${Buffer.from(scene.manifest).toString('utf8')},
      assets: await bytes('${text(scene.assets)}'),
      poses: new Float32Array(await bytes('${text(recorded.poses(0))}')),
      camera: ${camera},
    });
    const image = await createImageBitmap(new Blob([await bytes('${reference.toString('base64')}')]));
    const pixelsOf = (source) => {
      const flat = new OffscreenCanvas(${SIDE}, ${SIDE}).getContext('2d');
      flat.drawImage(source, 0, 0);
      const { data } = flat.getImageData(0, 0, ${SIDE}, ${SIDE});
      let text = '';
      for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
      return btoa(text);
    };
    const answer = { ours: pixelsOf(canvas), reference: pixelsOf(image), origins };
    canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext();
    return answer;
  })()`);
  const pixels = (base64: string): Pixels => ({
    width: SIDE,
    height: SIDE,
    data: new Uint8ClampedArray(Buffer.from(base64, 'base64')),
  });
  return { ours: pixels(drawn.ours), reference: pixels(drawn.reference), origins: drawn.origins };
}

export interface Likeness {
  /** Structural similarity, gaussian 11 x 11: 1 for the same picture. */
  readonly similarity: number;
  /** Of red, green and blue, from 0 to 255. */
  readonly meanDifference: number;
  /** Largest distance of a body's origin from where MuJoCo's camera sees it; pixels. */
  readonly originError: number;
}

export function likenessOf({ ours, reference, origins }: DrawnStill, { bodies }: GoldenScene): Likeness {
  let sum = 0;
  for (const [index, value] of ours.data.entries()) sum += Math.abs(value - reference.data[index]!);
  return {
    similarity: ssim(ours, reference, { ssim: 'original', downsample: false }).mssim,
    // Opaque pictures: the fourth channel adds nothing.
    meanDifference: sum / (3 * ours.width * ours.height),
    originError: Math.max(...bodies.map(([frame, x, y]) => Math.hypot(origins[frame]![0] - x, origins[frame]![1] - y))),
  };
}
