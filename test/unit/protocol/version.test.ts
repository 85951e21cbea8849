import { describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION, versionAccepted } from '../../../protocol/version.ts';

const { major, minor } = PROTOCOL_VERSION;

describe('versionAccepted', () => {
  it('accepts our own version', () => expect(versionAccepted(PROTOCOL_VERSION)).toBe(true));
  it('accepts an older minor', () => expect(versionAccepted({ major, minor: minor - 1 })).toBe(true));
  it('refuses a newer minor', () => expect(versionAccepted({ major, minor: minor + 1 })).toBe(false));
  it('refuses a newer major', () => expect(versionAccepted({ major: major + 1, minor: 0 })).toBe(false));
  it('refuses an older major', () => expect(versionAccepted({ major: major - 1, minor })).toBe(false));
});
