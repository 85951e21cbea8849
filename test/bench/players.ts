import { fileURLToPath } from 'node:url';
import type { BackendOptions } from '../../server/tensors/backend.ts';
import { torchPython } from './peers/torch-environment.ts';
import { startPlayer, type Player } from './turns.ts';

const PEER = fileURLToPath(new URL('peers/peer_torch.py', import.meta.url));
const POLICY = fileURLToPath(new URL('policy-worker.ts', import.meta.url));

export function startPeer(threads: number): Promise<Player> {
  return startPlayer(torchPython(), [PEER, '--serve', '--threads', String(threads)], {
    OMP_NUM_THREADS: String(threads),
  });
}

export function startPolicy(backend: BackendOptions): Promise<Player> {
  return startPlayer(process.execPath, ['--import', 'tsx', POLICY, JSON.stringify(backend)]);
}
