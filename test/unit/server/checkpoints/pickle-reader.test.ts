import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { randomSource } from '../../../../agent/random.ts';
import { readPickle, type PickleMeaning } from '../../../../server/checkpoints/pickle-reader.ts';
import { torchStateDictionary } from '../../../../server/checkpoints/torch-pickle.ts';
import { openZip } from '../../../../server/checkpoints/zip-archive.ts';
import { L2mError } from '../../../../server/errors.ts';

const NOTHING: PickleMeaning<never> = { allows: () => false, call: () => undefined, persistent: () => undefined };
const latin = (text: string) => Buffer.from(text, 'latin1');
const read = (text: string) => readPickle(latin(text), NOTHING, 'test');

describe('pickle reader', () => {
  test('reads plain values', () => {
    expect(read('\x80\x02N.')).toBeNull();
    expect(read('\x80\x02\x88.')).toBe(true);
    expect(read('\x80\x02J\xfe\xff\xff\xff.')).toBe(-2);
    expect(read('\x80\x02M\x01\x02.')).toBe(513);
    expect(read('\x80\x02\x8a\x05\x00\x00\x00\x00\x01.')).toBe(2 ** 32);
    expect(read('\x80\x02\x8a\x01\xff.')).toBe(-1);
    expect(read('\x80\x02G\x3f\xf8\x00\x00\x00\x00\x00\x00.')).toBe(1.5);
    expect(read('\x80\x02(K\x01K\x02t.')).toEqual({ kind: 'tuple', items: [1, 2] });
    expect(read('\x80\x02](K\x01K\x02eK\x03a.')).toEqual({ kind: 'list', items: [1, 2, 3] });
    expect(read('\x80\x02}q\x00X\x01\x00\x00\x00aK\x01sh\x000.')).toEqual({
      kind: 'dict',
      entries: new Map([['a', 1]]),
    });
  });

  test.each([
    ['nothing', ''],
    ['no end', '\x80\x02N'],
    ['protocol 0', '\x80\x00N.'],
    ['an empty stack', '\x80\x02.'],
    ['a tuple without a mark', '\x80\x02t.'],
    ['an empty memo', '\x80\x02h\x07.'],
    ['a huge whole number', '\x80\x02\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.'],
    ['a longer text than there is', '\x80\x02X\xff\xff\xff\xffab.'],
    ['text that is not UTF-8', '\x80\x02X\x01\x00\x00\x00\xff.'],
    ['a key without a value', '\x80\x02}(K\x01u.'],
    ['a list as a key', '\x80\x02}]K\x01s.'],
    ['attributes of a list', '\x80\x02]}b.'],
    ['a call of a number', '\x80\x02K\x01)R.'],
    ['a name without an end', '\x80\x02ccollections'],
    ['a name that is not allowed', '\x80\x02ccollections\nOrderedDict\n.'],
    ['a persistent object', '\x80\x02K\x01Q.'],
    ['NEWOBJ', '\x80\x02N)\x81.'],
    ['INST', '\x80\x02(ios\nsystem\n.'],
    ['OBJ', '\x80\x02(No.'],
    ['EXT1', '\x80\x02\x82\x01.'],
  ])('refuses %s', (_, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'L2M_CHECKPOINT_INVALID' }) as Error);
  });

  const storage = (count: string) =>
    `(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu${count}tQ`;
  const tensor = (count: string, rest: string) =>
    latin(`\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(${storage(count)}${rest}\x89}tRs.`);

  test('gives tensors by name, with where their numbers lie', () => {
    const { tensors } = torchStateDictionary(tensor('K\x06', 'K\x00K\x02K\x03\x86K\x03K\x01\x86'), 'test');
    expect(tensors.get('w')).toMatchObject({
      offset: 0,
      shape: [2, 3],
      strides: [3, 1],
      storage: { key: '0', count: 6 },
    });
  });

  test.each([
    ['that end outside of their storage', 'K\x06', 'K\x01K\x02K\x03\x86K\x03K\x01\x86'],
    ['with strides that leave it', 'K\x06', 'K\x00K\x02K\x03\x86K\x04K\x01\x86'],
    ['that repeat a number to fill memory', 'K\x01', 'K\x00M\xff\xff\x85K\x00\x85'],
    ['of a negative size', 'K\x06', 'K\x00J\xff\xff\xff\xff\x85K\x01\x85'],
    ['of more strides than axes', 'K\x06', 'K\x00K\x02\x85K\x01K\x01\x86'],
  ])('refuses tensors %s', (_, count, rest) => {
    expect(() => torchStateDictionary(tensor(count, rest), 'test')).toThrow(/unexpected arguments/);
  });

  test('takes linear time for deep, wide and repetitive pickles', () => {
    const startMs = performance.now();
    const count = 1_000_000;
    const deep = latin(`\x80\x02${']'.repeat(count)}${'a'.repeat(count - 1)}.`);
    expect(readPickle(deep, NOTHING, 'test')).toMatchObject({ kind: 'list' });
    const marks = latin(`\x80\x02${'('.repeat(count)}.`);
    expect(() => readPickle(marks, NOTHING, 'test')).toThrow(/empty stack/);
    const memo = latin(`\x80\x02]${'q\x00h\x00'.repeat(count)}.`);
    expect(readPickle(memo, NOTHING, 'test')).toMatchObject({ kind: 'list' });
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  test('never crashes or hangs on a damaged pickle of a real checkpoint', async () => {
    const file = join(import.meta.dirname, '../../../golden/agent/reference/l2m_lora.checkpoint.zip');
    const where = { where: 'golden', code: 'L2M_CHECKPOINT_INVALID' } as const;
    const outer = await openZip({ from: file, ...where });
    const inner = await openZip({ from: await outer.read('policy.pth', 2 ** 30), ...where });
    const good = await inner.read('archive/data.pkl', 2 ** 20);
    outer.close();
    expect(torchStateDictionary(good, 'golden').tensors.size).toBe(55);
    const random = randomSource(11);
    let refused = 0;
    for (let round = 0; round < 4000; round++) {
      const bytes = mutated(good, random);
      try {
        torchStateDictionary(bytes, 'fuzz');
      } catch (thrown) {
        refused++;
        expect(thrown).toBeInstanceOf(L2mError);
        expect((thrown as L2mError).code).toBe('L2M_CHECKPOINT_INVALID');
      }
    }
    expect(refused).toBeGreaterThan(2000);
  });
});

/** Flips, cuts, repeats or splices bytes. */
function mutated(good: Buffer, random: ReturnType<typeof randomSource>): Buffer {
  const bytes = Buffer.from(good);
  const at = random.below(bytes.length);
  switch (random.below(4)) {
    case 0:
      for (let flips = 0; flips <= random.below(4); flips++) bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(bytes.length))]);
    default:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
  }
}
