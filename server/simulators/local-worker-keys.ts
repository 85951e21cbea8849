import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { curveKeyPair } from 'zeromq';
import type { CurveServer } from './curve.ts';

/**
 * Lets the server's own workers in where CURVE is on: a key pair for this start, its secret in a file that only the owner reads.
 * @returns arguments for the workers' command line
 */
export function admitLocalWorkers(curve: CurveServer, dataDirectory: string): readonly string[] {
  const { publicKey, secretKey } = curveKeyPair();
  const secretFile = join(dataDirectory, 'local-workers.secret');
  writeFileSync(secretFile, `${secretKey}\n`, { mode: 0o600 });
  curve.admit(publicKey);
  return ['--curve-server-key', curve.publicKey, '--curve-secret-file', secretFile];
}
