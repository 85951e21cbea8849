import { PerformanceMatricesSchema } from '../../../protocol/performance-matrix.ts';
import type { Api } from '../build-http.ts';
import type { HttpDependencies } from '../contracts.ts';
import { errorReplies } from '../schemas.ts';

/** What continual trainings know so far of every task after every stage. */
export function addContinualRoutes(api: Api, { matrices }: HttpDependencies): void {
  api.get(
    '/api/continual',
    {
      config: { access: 'viewer' },
      schema: {
        summary: 'Performance matrices of continual trainings, newest first',
        tags: ['continual'],
        response: { 200: PerformanceMatricesSchema, ...errorReplies },
      },
    },
    async () => ({ matrices: await matrices.list() }),
  );
}
