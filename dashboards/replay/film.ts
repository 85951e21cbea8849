import type { Player } from './player.ts';

const FRAMES_HZ = 30;
/** The last picture stands still for so long. */
const STILL_MS = 400;
/** A film begins once its encoder has taken the first picture; where pictures are slow, that takes a while. */
const LONGEST_START_MS = 5000;
const CHUNK_MS = 100;
/** More than a file without a picture. */
const FIRST_PICTURE_BYTES = 500;

/** Plays the whole recording once at its present speed and films the canvas. @throws Error if the browser cannot film */
export async function film(player: Player, canvas: HTMLCanvasElement): Promise<Blob> {
  if (typeof MediaRecorder === 'undefined') throw new Error('This browser cannot make films.');
  const stream = canvas.captureStream(FRAMES_HZ);
  const recorder = new MediaRecorder(stream, { mimeType: 'video/webm' });
  const parts: Blob[] = [];
  recorder.addEventListener('dataavailable', (event) => parts.push(event.data));
  const stopped = new Promise<void>((resolve) => recorder.addEventListener('stop', () => resolve(), { once: true }));
  player.pause();
  player.loop.value = false;
  player.seek(0);
  recorder.start(CHUNK_MS);
  const givenUpAt = performance.now() + LONGEST_START_MS;
  while (new Blob(parts).size < FIRST_PICTURE_BYTES && performance.now() < givenUpAt) {
    player.redraw();
    await pause(CHUNK_MS);
  }
  player.play();
  // Over at the end, or when a person pauses: then the film is as long as they let it be.
  await new Promise<void>((resolve) => {
    const unsubscribe = player.playing.subscribe((playing) => {
      if (playing) return;
      queueMicrotask(() => unsubscribe());
      resolve();
    });
  });
  player.redraw();
  await pause(STILL_MS);
  recorder.stop();
  await stopped;
  for (const track of stream.getTracks()) track.stop();
  return new Blob(parts, { type: 'video/webm' });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
