import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, type ErrorCode } from '../../../../protocol/error-codes.ts';
import {
  allows,
  parseTokens,
  readTokens,
  roleOfRequest,
  type Access,
  type Role,
} from '../../../../server/http/access.ts';
import { statusOf } from '../../../../server/http/error-reply.ts';
import { isLoopback } from '../../../../server/http/listen.ts';

const tokens = { viewer: 'v'.repeat(16), operator: 'o'.repeat(16), worker: 'w'.repeat(16), admin: 'a'.repeat(16) };

describe('roles', () => {
  it('include one another as documented', () => {
    const matrix: Record<Role, Access[]> = {
      viewer: ['public', 'viewer'],
      operator: ['public', 'viewer', 'operator'],
      worker: ['public', 'worker'],
      admin: ['public', 'viewer', 'operator', 'worker', 'admin'],
    };
    for (const role of Object.keys(matrix) as Role[]) {
      for (const access of ['public', 'viewer', 'operator', 'worker', 'admin'] as const) {
        expect([role, access, allows(role, access)]).toEqual([role, access, matrix[role].includes(access)]);
      }
    }
  });

  it('come from the bearer token, and from nothing like one', () => {
    for (const [role, token] of Object.entries(tokens)) {
      expect(roleOfRequest(tokens, `Bearer ${token}`)).toBe(role);
      expect(roleOfRequest(tokens, `bearer ${token}`)).toBe(role);
    }
    const wrong = [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      tokens.admin,
      `Basic ${tokens.admin}`,
      `Bearer ${tokens.admin}x`,
    ];
    for (const header of [...wrong, `Bearer ${'ü'.repeat(16)}`, `Bearer ${'x'.repeat(10_000)}`]) {
      expect(roleOfRequest(tokens, header)).toBeUndefined();
    }
  });

  it('are all granted when there are no tokens', () => {
    expect(roleOfRequest({}, undefined)).toBe('admin');
  });
});

describe('token file', () => {
  it('is read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'l2m-tokens-'));
    const path = join(directory, 'tokens.json');
    await writeFile(path, JSON.stringify({ operator: tokens.operator }));
    expect(await readTokens(path)).toEqual({ operator: tokens.operator });
    await rm(directory, { recursive: true });
    await expect(readTokens(path)).rejects.toMatchObject({ code: 'L2M_CONFIG_INVALID' });
  });

  it('is refused with a reason that shows no secret', () => {
    const secret = 'sesame-open';
    const cases: [string, RegExp][] = [
      ['{', /not JSON/],
      ['[]', /object of role/],
      ['"x"', /object of role/],
      ['{}', /no token for the role operator/],
      [`{"admin": "${secret}${secret}"}`, /no token for the role operator/],
      [`{"operater": "${secret}${secret}"}`, /no role "operater", did you mean operator\?/],
      [`{"operator": "${secret}"}`, /16 to 256/],
      [`{"operator": "${secret} ${secret}"}`, /printable ASCII/],
      [`{"operator": "${secret}${secret}", "viewer": "${secret}${secret}"}`, /two roles the same/],
    ];
    for (const [text, reason] of cases) {
      expect(() => parseTokens(text, 'tokens.json')).toThrow(reason);
      try {
        parseTokens(text, 'tokens.json');
      } catch (error) {
        expect(String(error)).not.toContain(secret);
      }
    }
  });
});

describe('isLoopback', () => {
  it('knows the addresses that only this machine can reach', async () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
      expect([host, await isLoopback(host)]).toEqual([host, true]);
    for (const host of ['0.0.0.0', '::', '192.168.1.5', '10.0.0.1', '::ffff:10.0.0.1', 'no-such-host.invalid']) {
      expect([host, await isLoopback(host)]).toEqual([host, false]);
    }
  });
});

describe('statusOf', () => {
  it('has a status for every code of the table', () => {
    for (const code of Object.keys(ERROR_TABLE) as ErrorCode[]) {
      expect([code, statusOf(code)]).toEqual([code, expect.any(Number)]);
      const { severity } = ERROR_TABLE[code];
      if (severity === 'refused') expect(statusOf(code)).toBeLessThan(500);
      else if (severity === 'retry') expect(statusOf(code)).toBe(503);
    }
  });
});
