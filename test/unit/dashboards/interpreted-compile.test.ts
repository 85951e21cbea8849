import { describe, expect, it } from 'vitest';
import { Type, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Compile as Interpreted } from '../../../dashboards/interpreted-compile.ts';
import { PageEventSchema, PageRequestSchema } from '../../../protocol/dashboard-messages.ts';
import { RecordingHeaderSchema } from '../../../protocol/recording.ts';
import { goldenMessages } from '../../support/golden-messages.ts';
import { sampleRecording } from '../server/recordings/samples.ts';

/** Values near `value` of which most break some rule: each part left out, put in twice, or replaced. */
function* mutations(value: unknown): Generator {
  for (const other of [null, true, '', 'a'.repeat(5000), -1, 0.5, 1e12, NaN, [], {}]) yield other;
  if (Array.isArray(value)) {
    yield [...(value as unknown[]), ...(value as unknown[])];
    for (const [index, each] of value.entries()) {
      for (const mutated of mutations(each)) yield (value as unknown[]).with(index, mutated);
      if (index > 1) return;
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, surplus: 1 };
    for (const [name, each] of Object.entries(value)) {
      const { [name as never]: _, ...rest } = value;
      yield rest;
      for (const mutated of mutations(each)) yield { ...value, [name]: mutated };
    }
  }
}

const events = goldenMessages().filter(({ direction }) => direction === 'pageEvent');
const requests = goldenMessages().filter(({ direction }) => direction === 'pageRequest');
const cases: readonly (readonly [string, TSchema, readonly unknown[]])[] = [
  ['page events', PageEventSchema, events.map(({ message }) => message)],
  ['page requests', PageRequestSchema, requests.map(({ message }) => message)],
  [
    'recordings',
    RecordingHeaderSchema,
    [{ ...sampleRecording().facts, sections: [{ name: 'poses', count: 1, offset: 0, bytes: 2 }] }],
  ],
];

describe("the page's checker", () => {
  it.each(cases)('judges %s as TypeBox does', (_name, schema, samples) => {
    const [theirs, ours] = [Compile(schema), Interpreted(schema)];
    let [accepted, refused] = [0, 0];
    expect(samples.length).toBeGreaterThan(0);
    for (const sample of samples) {
      expect(ours.Check(sample)).toBe(true);
      for (const value of mutations(sample)) {
        const verdict = theirs.Check(value);
        if (ours.Check(value) !== verdict)
          expect.fail(`TypeBox says ${verdict} of ${JSON.stringify(value).slice(0, 600)}`);
        if (verdict) accepted++;
        else refused++;
        expect(ours.Errors(value).length > 0).toBe(!verdict);
      }
    }
    expect(accepted).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(10);
  });

  it('says where a value does not fit', () => {
    const checker = Interpreted(Type.Object({ a: Type.Array(Type.Integer({ minimum: 3 })) }));
    expect(checker.Errors({ a: [3, 1] })).toEqual([{ instancePath: '/a/1', message: 'does not fit minimum' }]);
  });

  it('refuses a keyword that it does not know', () => {
    expect(() => Interpreted(Type.Array(Type.Integer(), { uniqueItems: true }))).toThrow('uniqueItems');
  });
});
