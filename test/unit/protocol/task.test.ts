import { Compile } from 'typebox/compile';
import { describe, expect, it } from 'vitest';
import { domainOf, horizonOf, TaskIdSchema, taskName } from '../../../protocol/task.ts';

describe('task ids', () => {
  const validator = Compile(TaskIdSchema);

  it.each(['metaworld/reach-v3', 'dmcontrol/ball_in_cup-catch', `metaworld/${'a'.repeat(96)}`])('accepts %s', (id) => {
    expect(validator.Check(id)).toBe(true);
  });

  it.each([
    'reach-v3',
    'metaworld/',
    'atari/pong',
    'metaworld/a/b',
    'metaworld/../secret',
    'metaworld/reach-v3\n',
    ' metaworld/reach-v3',
    `metaworld/${'a'.repeat(97)}`,
    'metaworld/réach',
  ])('refuses %j', (id) => expect(validator.Check(id)).toBe(false));

  it('are taken apart', () => {
    expect(domainOf('metaworld/reach-v3')).toBe('metaworld');
    expect(domainOf('dmcontrol/walker-walk')).toBe('dmcontrol');
    expect(taskName('metaworld/reach-v3')).toBe('reach-v3');
    expect(taskName('dmcontrol/walker-walk')).toBe('walker-walk');
  });
});

describe('horizonOf', () => {
  it.each([
    ['metaworld/reach-v3', 'official-v3', 500],
    ['metaworld/reach-v3', 'l2m-paper', 200],
    ['dmcontrol/walker-walk', 'official-v3', 1000],
    ['dmcontrol/walker-walk', 'l2m-paper', 1000],
  ] as const)('%s under %s has %i steps', (task, protocol, steps) => expect(horizonOf(task, protocol)).toBe(steps));
});
