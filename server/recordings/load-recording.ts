import { readRecordingHeader, type RecordingHeader, type RecordingSection } from '../../protocol/recording.ts';
import { L2mError } from '../errors.ts';
import { readSection } from './recording-file.ts';

/** What a replay compares; shapes as in `RECORDING_SECTIONS`. */
export interface LoadedRecording {
  readonly header: RecordingHeader;
  readonly rewards: Float64Array;
  readonly executed: Float32Array;
  readonly flags: Uint8Array;
  /** Undefined where nobody pulled at a body. */
  readonly pulls: Float32Array | undefined;
  readonly observationChecks: Uint32Array;
  readonly poseSteps: Uint32Array;
  readonly poses: Float32Array;
}

/** @throws L2M_RECORDING_INVALID if a section is damaged, missing or of another length than the header says */
export async function loadRecording(bytes: Uint8Array): Promise<LoadedRecording> {
  const file = readRecordingHeader(bytes);
  if (!file.ok) throw invalid(file.error);
  const { header } = file.value;
  const { length, pictures, poseRows, actionSize } = header;
  const section = async <Name extends RecordingSection>(name: Name, count: number) => {
    const numbers = await readSection(bytes, name);
    if (!numbers.ok) throw invalid(numbers.error);
    if (numbers.value?.length !== count) {
      throw invalid(`its section ${name} has ${numbers.value?.length ?? 'no'} numbers, not ${count}`);
    }
    return numbers.value;
  };
  return {
    header,
    rewards: await section('rewards', length),
    executed: await section('executed', length * actionSize),
    flags: await section('flags', length),
    pulls: header.sections.some(({ name }) => name === 'pulls') ? await section('pulls', length * 7) : undefined,
    observationChecks: await section('observationChecks', length + 1),
    poseSteps: pictures > 0 ? await section('poseSteps', pictures) : new Uint32Array(),
    poses: pictures > 0 ? await section('poses', pictures * poseRows * 7) : new Float32Array(),
  };
}

function invalid(message: string): L2mError {
  return new L2mError('L2M_RECORDING_INVALID', message);
}
