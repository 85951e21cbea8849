import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export type PageRole = 'viewer' | 'operator';

/** `operator` and `admin` may pause and stop runs. No tokens at all: everybody who can connect is an operator. */
export interface PageTokens {
  readonly viewer?: string;
  readonly operator?: string;
  readonly admin?: string;
}

/** The role a token stands for, or null. Compared in constant time. */
export function roleOfToken(tokens: PageTokens, token: string | undefined): PageRole | null {
  if (tokens.viewer === undefined && tokens.operator === undefined && tokens.admin === undefined) return 'operator';
  if (token === undefined) return null;
  const operator = sameSecret(tokens.operator, token);
  const admin = sameSecret(tokens.admin, token);
  const viewer = sameSecret(tokens.viewer, token);
  if (operator || admin) return 'operator';
  return viewer ? 'viewer' : null;
}

/**
 * Whether a browser page of that origin may talk to us. A page served by us has the host we are asked by as its origin; and
 * that host is an address or localhost, or one of `allowedHosts`, so that a foreign name that resolves to us does not count.
 * Programs that send no origin are no browsers and are not kept out here.
 */
export function originAccepted(request: IncomingMessage, allowedHosts: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (host === undefined) return false;
  const from = parsed(origin);
  const asked = parsed(`http://${host}`);
  if (asked === null || from?.host !== asked.host) return false;
  const name = asked.hostname.replace(/^\[|\]$/g, '');
  return name === 'localhost' || isIP(name) !== 0 || allowedHosts.includes(name);
}

function parsed(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}

function sameSecret(expected: string | undefined, got: string): boolean {
  if (expected === undefined) return false;
  return timingSafeEqual(digest(expected), digest(got));
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
