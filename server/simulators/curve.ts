import { readFile } from 'node:fs/promises';
import { capability, Reply } from 'zeromq';
import { L2mError } from '../errors.ts';
import { decodeZ85, isCurveKey } from './curve-key.ts';

/** Options that make a socket a CURVE server. Any client with a key is accepted unless a ZAP handler says otherwise. */
export interface CurveServer {
  readonly socketOptions: { curveServer: true; curveSecretKey: string; zapDomain: string };
  readonly publicKey: string;
  /** Puts a client's public key on the allow-list: for workers that this server starts itself. */
  admit(publicKey: string): void;
  close(): void;
}

/** What `l2m keys` writes and `--curve-keys` names. All keys are Z85, 40 characters. */
export interface KeyFile {
  readonly serverPublicKey: string;
  readonly serverSecretKey: string;
  /** Public keys of the workers that may connect. */
  readonly allowedClients: readonly string[];
}

const ZAP_ADDRESS = 'inproc://zeromq.zap.01';

/**
 * Starts the authenticator (ZeroMQ RFC 27) with the allow-list of a key file and returns the socket options.
 * @throws L2M_CONFIG_INVALID if the file is unreadable or malformed, L2M_ADDRESS_UNSAFE if libzmq lacks CURVE
 */
export async function startCurve(keyFilePath: string): Promise<CurveServer> {
  if (!capability.curve) throw new L2mError('L2M_ADDRESS_UNSAFE', 'this build of libzmq has no CURVE');
  const keys = parseKeyFile(keyFilePath, await readKeyFile(keyFilePath));
  const allowed = new Set(keys.allowedClients.map((key) => decodeZ85(key).toString('hex')));
  const responder = new Reply({ linger: 0 });
  await responder.bind(ZAP_ADDRESS);
  void answerAll(responder, allowed);
  return {
    socketOptions: { curveServer: true, curveSecretKey: keys.serverSecretKey, zapDomain: 'l2m' },
    publicKey: keys.serverPublicKey,
    admit: (publicKey) => allowed.add(decodeZ85(publicKey).toString('hex')),
    close: () => responder.close(),
  };
}

async function answerAll(responder: Reply, allowed: ReadonlySet<string>): Promise<void> {
  for await (const [version, request, , , , mechanism, clientKey] of responder) {
    const accepted = mechanism?.toString() === 'CURVE' && allowed.has(clientKey?.toString('hex') ?? '');
    const status = accepted ? ['200', 'OK'] : ['400', 'this key is not on the allow-list'];
    await responder.send([version ?? Buffer.from('1.0'), request ?? Buffer.alloc(0), ...status, '', '']);
  }
}

async function readKeyFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new L2mError('L2M_CONFIG_INVALID', `the key file ${path} cannot be read`, { cause });
  }
}

function parseKeyFile(path: string, text: string): KeyFile {
  const expected = `the key file ${path} must hold {"serverPublicKey": "…", "serverSecretKey": "…", "allowedClients": ["…"]} with Z85 keys of 40 characters; \`npx l2m keys\` makes one`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new L2mError('L2M_CONFIG_INVALID', expected, { cause });
  }
  if (!isKeyFile(value)) throw new L2mError('L2M_CONFIG_INVALID', expected);
  return value;
}

function isKeyFile(value: unknown): value is KeyFile {
  if (typeof value !== 'object' || value === null) return false;
  const { serverPublicKey, serverSecretKey, allowedClients } = value as Record<string, unknown>;
  if (!isCurveKey(serverPublicKey) || !isCurveKey(serverSecretKey)) return false;
  return Array.isArray(allowedClients) && allowedClients.every(isCurveKey);
}
