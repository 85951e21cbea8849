import { expect, test } from 'vitest';
import { prunedShader } from '../../../dashboards/lean-shader.ts';

const pruned = (...lines: string[]) => prunedShader(lines.join('\\n')).split('\\n');

test('what is never compiled goes, with its directives; all else stays as it is', () => {
  expect(pruned('#ifdef USE_CLEARCOAT', 'a', '#else', 'b', '#endif', '\\tc; // why')).toEqual(['b', 'c;']);
  expect(pruned('#ifndef USE_ENVMAP', 'a', '#else', 'b', '#endif')).toEqual(['a']);
  expect(pruned('#ifdef USE_MAP', 'a', '#else', 'b', '#endif')).toEqual([
    '#ifdef USE_MAP',
    'a',
    '#else',
    'b',
    '#endif',
  ]);
});

test('conditions of several parts are decided where one part is enough', () => {
  expect(pruned('#if ( NUM_POINT_LIGHTS > 0 ) && defined( RE_Direct )', 'a', '#endif', 'b')).toEqual(['b']);
  expect(pruned('#if defined( USE_MAP ) || defined( USE_BUMPMAP )', 'a', '#endif')).toHaveLength(3);
  expect(pruned('#if defined( USE_SHEEN ) || defined( USE_BUMPMAP )', 'a', '#endif', 'b')).toEqual(['b']);
  expect(pruned('#if NUM_SPOT_LIGHTS > 0', 'a', '#endif')).toHaveLength(3);
});

test('branches inside others go with them, and end where they end', () => {
  const lines = ['#if defined( STANDARD )', '#ifdef USE_MAP', 'a', '#else', 'b', '#endif', '#else', 'c', '#endif', 'd'];
  expect(pruned(...lines)).toEqual(['c', 'd']);
  const open = ['#ifdef USE_MAP', '#ifdef USE_AOMAP', 'a', '#endif', 'b', '#endif'];
  expect(pruned(...open)).toEqual(['#ifdef USE_MAP', 'b', '#endif']);
});

test('a shader that chooses between more than two ways stays whole', () => {
  const lines = ['#ifdef USE_SHEEN', 'a', '#elif defined( USE_MAP )', 'b', '#endif'];
  expect(pruned(...lines)).toEqual(lines);
});
