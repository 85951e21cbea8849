import { lookup } from 'node:dns/promises';
import { isIP, BlockList } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { L2mError } from '../errors.ts';
import { hasTokens, type AccessTokens } from './access.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly tokens: AccessTokens;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether only this machine can reach an address. A name counts if everything it resolves to does. */
export async function isLoopback(host: string): Promise<boolean> {
  const addresses =
    isIP(host) === 0 ? await lookup(host, { all: true }).catch(() => []) : [{ address: host, family: isIP(host) }];
  const local = ({ address, family }: { address: string; family: number }): boolean =>
    loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
  return addresses.length > 0 && addresses.every(local);
}

/**
 * Opens the port.
 * @returns the URL to print, with the port that was picked
 * @throws L2M_ADDRESS_UNSAFE beyond loopback without an operator or admin token, L2M_ADDRESS_UNAVAILABLE
 */
export async function listen(app: FastifyInstance, options: ListenOptions): Promise<string> {
  const { host, port, tokens } = options;
  if (!hasTokens(tokens) && !(await isLoopback(host))) {
    throw new L2mError('L2M_ADDRESS_UNSAFE', `${host} can be reached from other machines and there are no tokens`);
  }
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!/^E(ADDR|ACCES|PERM|NOTFOUND|AI_)/.test(code)) throw cause;
    throw new L2mError('L2M_ADDRESS_UNAVAILABLE', `${host}:${port} (${code})`, { cause });
  }
  const address = app.server.address();
  const picked = typeof address === 'object' && address !== null ? address.port : port;
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${isIP(shown) === 6 ? `[${shown}]` : shown}:${picked}`;
}
