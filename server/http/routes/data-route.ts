import { DataSetsSchema } from '../../../protocol/data-sets.ts';
import type { Api } from '../build-http.ts';
import type { HttpDependencies } from '../contracts.ts';
import { errorReplies } from '../schemas.ts';

/** What has been collected, also while it is being collected. */
export function addDataRoute(api: Api, { data }: Pick<HttpDependencies, 'data'>): void {
  api.get(
    '/api/data',
    {
      config: { access: 'viewer' },
      schema: {
        summary: 'Data sets: episodes, returns, success, provenance and hash of each',
        tags: ['data'],
        response: { 200: DataSetsSchema, ...errorReplies },
      },
    },
    () => data.list(),
  );
}
