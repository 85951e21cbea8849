import { readRecordingHeader, readRecordingSection, type RecordingHeader } from '../../protocol/recording.ts';
import { answered, fetchJson } from '../results/fetch-json.ts';

/** A recording in memory; shapes as in `RECORDING_SECTIONS`. */
export interface RecordedEpisode {
  readonly header: RecordingHeader;
  readonly rewards: Float64Array;
  readonly executed: Float32Array;
  readonly flags: Uint8Array;
  readonly selections: Int16Array;
  readonly similarities: Float32Array;
  readonly poseSteps: Uint32Array;
  readonly poses: Float32Array;
  /** Sums of rewards, [length + 1]; row 0 is the start. */
  readonly returns: Float64Array;
  /** Geometry from inside the file, if it is there. */
  readonly scene: { readonly manifest: Uint8Array; readonly assets: Uint8Array } | null;
}

/** @throws Error in words for a person */
export async function storedEpisode(run: string, episode: string): Promise<RecordedEpisode> {
  const bytes = await recordingFrom(run, episode, false);
  const recording = await readEpisode(bytes);
  if (recording.header.scene !== '' || recording.header.pictures === 0) return recording;
  // Recorded before its geometry was known: the server may know it by now.
  return recordingFrom(run, episode, true).then(readEpisode, () => recording);
}

/** The file as the server keeps it, or with the geometry inside. @throws Error in words for a person */
export async function recordingFrom(run: string, episode: string, withScene: boolean): Promise<Uint8Array> {
  const response = await answered(withScene ? `${pathOf(run, episode)}?scene=true` : pathOf(run, episode));
  return new Uint8Array(await response.arrayBuffer());
}

/** Has the server simulate the episode again and keep poses of every step. @throws Error in words for a person */
export async function rebuildPoses(run: string, episode: string): Promise<void> {
  await fetchJson(`${pathOf(run, episode)}/poses`, { method: 'POST' });
}

const pathOf = (run: string, episode: string): string =>
  `api/runs/${encodeURIComponent(run)}/recordings/${encodeURIComponent(episode)}`;

/** @throws Error in words for a person if it is no recording, or a damaged one */
export async function readEpisode(bytes: Uint8Array): Promise<RecordedEpisode> {
  const file = readRecordingHeader(bytes);
  if (!file.ok) throw new Error(`This is not a recording of this project: ${file.error}.`);
  const { header } = file.value;
  const section = async <Name extends Parameters<typeof readRecordingSection>[1]>(name: Name) => {
    const read = await readRecordingSection(bytes, name, inflate);
    if (!read.ok) throw new Error(`The recording cannot be read: ${read.error}.`);
    return read.value;
  };
  const rewards = (await section('rewards')) ?? new Float64Array(header.length);
  const returns = new Float64Array(rewards.length + 1);
  for (const [step, reward] of rewards.entries()) returns[step + 1] = (returns[step] ?? 0) + reward;
  const [manifest, assets] = [await section('sceneManifest'), await section('sceneAssets')];
  return {
    ...{ header, rewards, returns },
    executed: (await section('executed')) ?? new Float32Array(),
    flags: (await section('flags')) ?? new Uint8Array(header.length),
    selections: (await section('selections')) ?? new Int16Array(header.length).fill(-1),
    similarities: (await section('similarities')) ?? new Float32Array(header.length),
    poseSteps: (await section('poseSteps')) ?? new Uint32Array(),
    poses: (await section('poses')) ?? new Float32Array(),
    scene: manifest === undefined || assets === undefined ? null : { manifest, assets },
  };
}

async function inflate(packed: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
