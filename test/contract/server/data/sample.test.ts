import { expect, test } from 'vitest';
import { findDataSets } from '../../../../server/data/data-sets.ts';
import { openDataSet } from '../../../../server/data/open-data-set.ts';
import { summariseDataSet } from '../../../../server/data/summarise-data-set.ts';
import { verifyDataSet } from '../../../../server/data/verify-data-set.ts';

const SAMPLE = new URL('../../../golden/learning', import.meta.url).pathname;

const HASHES: Readonly<Record<string, string>> = {
  'metaworld/door-open-v3 of expert': '4e8f092dd85b1d4b272f4d821cb4e71d364e9842e540b9eeb8a94071404285db',
  'metaworld/door-open-v3 of keep-goal': '08b63490a2dc66125e0144fb4f15d0e70843ebc816d45250bb6fa59494052962',
  'metaworld/drawer-open-v3 of expert': '090667e0f3ba61eaa80e4de422c9823f46d118dd3835bb9fef4ef7a38db5d316',
  'metaworld/reach-v3 of expert': '5bdcad2aad75afb71458d1d105a1013100c9cf8651aa079e53d3a5043d302f43',
  'dmcontrol/cartpole-balance of sac': 'e5484b15b9f3c787e2ca00f9ee9de9065e955b976c18d9923cf23d220bcb6d06',
};

test('the sample is sound, and what it was', async () => {
  const verdicts = await Promise.all((await findDataSets(SAMPLE)).map(verifyDataSet));
  expect(verdicts.flatMap(({ problems }) => problems)).toEqual([]);
  expect(Object.fromEntries(verdicts.map(({ task, source, sha256 }) => [`${task} of ${source}`, sha256]))).toEqual(
    HASHES,
  );
});

test('its experts reach their goals, and one that keeps the goal is there at the end, with noise too', async () => {
  const summaries = new Map<string, Awaited<ReturnType<typeof summariseDataSet>>>();
  for (const place of await findDataSets(SAMPLE, { tasks: ['metaworld/door-open-v3'] })) {
    const set = await openDataSet(place);
    if (set === undefined) continue;
    summaries.set(place.source, await summariseDataSet(set));
    await set.close();
  }
  expect(summaries.get('expert')).toMatchObject({ successAnyTime: { rate: 1 }, successAtEnd: { rate: 0 } });
  expect(summaries.get('keep-goal')).toMatchObject({ successAnyTime: { rate: 1 }, successAtEnd: { rate: 1 } });
  expect(Object.keys(summaries.get('keep-goal')?.byNoise ?? {})).toEqual(['0', '0.1', '0.3', '0.5']);
});
