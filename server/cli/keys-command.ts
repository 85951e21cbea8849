import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { curveKeyPair } from 'zeromq';
import { L2mError } from '../errors.ts';
import type { KeyFile } from '../simulators/curve.ts';
import { wholeNumber } from './option-values.ts';

/** `l2m keys`: what a server and workers on other machines need to trust each other. */
export function addKeysCommand(program: Command): void {
  program
    .command('keys')
    .description('make CURVE keys, so that simulator workers on other machines may connect')
    .argument('<folder>', 'where to put server.json and a secret for each worker; existing keys are never overwritten')
    .option('--workers <count>', 'how many workers get a key', wholeNumber(1, 256), 1)
    .addHelpText(
      'after',
      '\nExample:\n' +
        '  $ npx l2m keys keys --workers 2\n' +
        '  $ npx l2m start --endpoint tcp://0.0.0.0:5555 --curve-keys keys/server.json\n',
    )
    .action((folder: string, options: { workers: number }) => {
      makeKeys(folder, options.workers);
    });
}

function makeKeys(folder: string, count: number): void {
  const server = curveKeyPair();
  const workers = Array.from({ length: count }, (_, index) => ({
    file: join(folder, `worker-${index + 1}.secret`),
    ...curveKeyPair(),
  }));
  const keyFile: KeyFile = {
    serverPublicKey: server.publicKey,
    serverSecretKey: server.secretKey,
    allowedClients: workers.map(({ publicKey }) => publicKey),
  };
  const serverFile = join(folder, 'server.json');
  mkdirSync(folder, { recursive: true });
  writeSecret(serverFile, JSON.stringify(keyFile, null, 2));
  for (const { file, secretKey } of workers) writeSecret(file, secretKey);
  process.stdout.write(
    `Server: npx l2m start --endpoint tcp://0.0.0.0:5555 --curve-keys ${serverFile}\n` +
      workers
        .map(
          ({ file }) =>
            `Worker: python -m sim_bridge --server tcp://ADDRESS:5555 --curve-server-key '${server.publicKey}' ` +
            `--curve-secret-file ${file}\n`,
        )
        .join(''),
  );
}

function writeSecret(file: string, text: string): void {
  try {
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new L2mError('L2M_CONFIG_INVALID', `${file} ${exists ? 'exists already' : 'cannot be written'}`, {
      cause,
      hint: exists ? 'Name another folder, or remove the old keys first.' : 'Name a folder that can be written to.',
    });
  }
}
