import { describe, expect, it } from 'vitest';
import {
  actionFromToken,
  tokenFromAction,
  tokensFromActions,
  zeroActionToken,
} from '../../../../agent/context/action-tokenizer.ts';

describe('action tokeniser', () => {
  it.each([false, true])('gives back every token it decoded (bin centres: %s)', (binCentres) => {
    for (let token = 0; token < 64; token++) {
      expect(tokenFromAction(Math.fround(actionFromToken(token, 64, binCentres)), 64)).toBe(token);
    }
  });

  it('puts the ends, zero and what lies outside where the reference does', () => {
    expect([1, 0, -1, 3, -3, 0.999, -1.01].map((action) => tokenFromAction(action, 64))).toEqual([
      63, 32, 0, 63, 0, 63, 0,
    ]);
    expect(zeroActionToken(64)).toBe(32);
  });

  it('rounds the sum to single precision as the reference does', () => {
    expect(tokenFromAction(-1e-9, 64)).toBe(32);
    expect(tokenFromAction(-1e-6, 64)).toBe(31);
  });

  it('decodes to the lower edge, or to the centre', () => {
    expect([0, 32, 63].map((token) => actionFromToken(token, 64, false))).toEqual([-1, 0, 0.96875]);
    expect([0, 32, 63].map((token) => actionFromToken(token, 64, true))).toEqual([-0.984375, 0.015625, 0.984375]);
    expect([...tokensFromActions([0.5, -0.5], 64)]).toEqual([48, 16]);
  });
});
