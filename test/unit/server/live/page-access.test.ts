import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { originAccepted, roleOfToken } from '../../../../server/live/page-access.ts';

const asked = (headers: { origin?: string; host?: string }) => ({ headers }) as unknown as IncomingMessage;

describe('origin', () => {
  test.each([
    [{ origin: 'http://127.0.0.1:8650', host: '127.0.0.1:8650' }, true],
    [{ origin: 'http://localhost:8650', host: 'localhost:8650' }, true],
    [{ origin: 'http://[::1]:8650', host: '[::1]:8650' }, true],
    [{ origin: 'https://lab.example', host: 'lab.example' }, true],
    [{ host: '127.0.0.1:8650' }, true],
    [{ origin: 'http://127.0.0.1:9999', host: '127.0.0.1:8650' }, false],
    [{ origin: 'http://evil.example', host: '127.0.0.1:8650' }, false],
    // A name of somebody else that resolves to this machine (DNS rebinding).
    [{ origin: 'http://evil.example:8650', host: 'evil.example:8650' }, false],
    [{ origin: 'null', host: '127.0.0.1:8650' }, false],
  ])('%j -> %s', (headers, accepted) => {
    expect(originAccepted(asked(headers), ['lab.example'])).toBe(accepted);
  });
});

describe('tokens', () => {
  test('without any, everybody is an operator', () => {
    expect(roleOfToken({}, undefined)).toBe('operator');
  });

  test('with some, only they open the door', () => {
    const tokens = { viewer: 'see', operator: 'do' };
    expect(roleOfToken(tokens, 'see')).toBe('viewer');
    expect(roleOfToken(tokens, 'do')).toBe('operator');
    expect(roleOfToken(tokens, 'other')).toBeNull();
    expect(roleOfToken(tokens, '')).toBeNull();
    expect(roleOfToken(tokens, undefined)).toBeNull();
    expect(roleOfToken({ operator: 'do' }, 'see')).toBeNull();
    expect(roleOfToken({ operator: 'do', admin: 'all' }, 'all')).toBe('operator');
  });
});
