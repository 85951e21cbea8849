import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { L2mError, nearestName } from '../errors.ts';

const Token = Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{16,256}$' }));

/** One secret per role, as in the file of `--tokens`. None at all: everybody who can connect may do everything. */
const AccessTokensSchema = Type.Object(
  { viewer: Token, operator: Token, worker: Token, admin: Token },
  { additionalProperties: false },
);
export type AccessTokens = Static<typeof AccessTokensSchema>;

export type Role = keyof AccessTokens;
/** What a route asks for. */
export type Access = 'public' | Role;

const ROLES: readonly Role[] = ['viewer', 'operator', 'worker', 'admin'];

/** Which roles a role includes. A worker may do nothing over HTTP but what is public. */
const INCLUDES: Readonly<Record<Role, readonly Access[]>> = {
  viewer: ['public', 'viewer'],
  operator: ['public', 'viewer', 'operator'],
  worker: ['public', 'worker'],
  admin: ['public', 'viewer', 'operator', 'worker', 'admin'],
};

export function allows(role: Role, access: Access): boolean {
  return INCLUDES[role].includes(access);
}

export function hasTokens(tokens: AccessTokens): boolean {
  return ROLES.some((role) => tokens[role] !== undefined);
}

/**
 * The role a request has, or undefined for a wrong or missing token. Every token is compared, each in constant time.
 * @param authorization the header, `Bearer <token>`
 */
export function roleOfRequest(tokens: AccessTokens, authorization: string | undefined): Role | undefined {
  if (!hasTokens(tokens)) return 'admin';
  const presented = /^Bearer ([\x21-\x7e]{1,256})$/i.exec(authorization ?? '')?.[1];
  if (presented === undefined) return undefined;
  const digest = digestOf(presented);
  let found: Role | undefined;
  for (const role of ROLES) {
    const expected = tokens[role];
    if (expected !== undefined && timingSafeEqual(digestOf(expected), digest)) found = role;
  }
  return found;
}

/**
 * Reads the file of `--tokens`: JSON such as `{"viewer": "…", "operator": "…"}`.
 * A page without an operator's token to ask for would let everybody act, so that one must be there.
 * @throws L2M_CONFIG_INVALID if it cannot be read, has none for the operator, or one that is short, repeated, or of no role
 */
export async function readTokens(path: string): Promise<AccessTokens> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new L2mError('L2M_CONFIG_INVALID', `the token file ${path} cannot be read`, { cause });
  });
  return parseTokens(text, path);
}

export function parseTokens(text: string, place: string): AccessTokens {
  let tokens: unknown;
  try {
    tokens = JSON.parse(text);
  } catch (cause) {
    throw new L2mError('L2M_CONFIG_INVALID', `the token file ${place} is not JSON`, { cause });
  }
  if (!Value.Check(AccessTokensSchema, tokens))
    throw new L2mError('L2M_CONFIG_INVALID', `${place}: ${complaint(tokens)}`);
  const secrets = Object.values(tokens);
  if (tokens.operator === undefined)
    throw new L2mError('L2M_CONFIG_INVALID', `${place} holds no token for the role operator`);
  if (new Set(secrets).size < secrets.length) {
    throw new L2mError('L2M_CONFIG_INVALID', `${place} gives two roles the same token`);
  }
  return tokens;
}

/** Says what is wrong without showing a secret. */
function complaint(tokens: unknown): string {
  if (typeof tokens !== 'object' || tokens === null || Array.isArray(tokens))
    return 'expected an object of role and token';
  const unknown = Object.keys(tokens).find((key) => !ROLES.some((role) => role === key));
  if (unknown === undefined) return 'a token is 16 to 256 printable ASCII characters without spaces';
  const nearest = nearestName(unknown, ROLES);
  return `there is no role "${unknown}"${nearest === undefined ? '' : `, did you mean ${nearest}?`}`;
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
