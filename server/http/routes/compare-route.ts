import { ComparisonSchema } from '../../../protocol/comparison.ts';
import { L2mError } from '../../errors.ts';
import { compareRuns, type ComparedRun } from '../../store/compare-runs.ts';
import type { Api } from '../build-http.ts';
import type { HttpDependencies } from '../contracts.ts';
import { CompareQuery, errorReplies } from '../schemas.ts';

/** Two or more runs against the first of them, by pairs of episodes from equal starts. */
export function addCompareRoute(api: Api, { store }: HttpDependencies): void {
  api.get(
    '/api/compare',
    {
      config: { access: 'viewer' },
      schema: {
        summary: 'Runs against a baseline, by pairs of episodes from equal starts',
        description:
          'Rates of each run with Wilson intervals; differences to the first run with intervals and exact tests, adjusted for the ' +
          'number of tasks. Runs with another protocol, seed or horizon than the baseline have rates but no pairs.',
        tags: ['runs'],
        querystring: CompareQuery,
        response: { 200: ComparisonSchema, ...errorReplies },
      },
    },
    async (request) => {
      const names = request.query.runs.split(',');
      const twice = names.find((name, index) => names.indexOf(name) < index);
      if (twice !== undefined) {
        throw new L2mError('L2M_REQUEST_INVALID', `${twice} is given twice`, { hint: 'Name each run once.' });
      }
      const compared = (run: string): Promise<ComparedRun> =>
        Promise.all([store.getRun(run), store.latestEpisodes(run)]).then(([head, episodes]) => ({ head, episodes }));
      const [baseline, ...others] = await Promise.all(names.map(compared));
      if (baseline === undefined) throw new L2mError('L2M_REQUEST_INVALID', 'no run');
      return compareRuns([baseline, ...others]);
    },
  );
}
