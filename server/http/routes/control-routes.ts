import { RunSummarySchema } from '../../../protocol/dashboard-views.ts';
import type { Api } from '../build-http.ts';
import type { HttpDependencies } from '../contracts.ts';
import { ControlBodySchema, errorReplies, EvaluationBodySchema, RunParams } from '../schemas.ts';

const config = { access: 'operator' } as const;

/** Everything that changes what the server does. */
export function addControlRoutes(api: Api, { runs }: HttpDependencies): void {
  api.post(
    '/api/runs',
    {
      config,
      schema: {
        summary: 'Start an evaluation, or go on with one',
        description: 'Answers when the run has begun; follow it at /api/runs/{run} or on the page.',
        tags: ['control'],
        body: EvaluationBodySchema,
        response: { 202: RunSummarySchema, ...errorReplies },
      },
    },
    async (request, reply) => {
      const summary = await runs.start(request.body);
      return reply.code(202).header('location', `/api/runs/${summary.run}`).send(summary);
    },
  );

  api.post(
    '/api/runs/:run/control',
    {
      config,
      schema: {
        summary: 'Pause, resume or stop a run',
        tags: ['control'],
        params: RunParams,
        body: ControlBodySchema,
        response: { 200: RunSummarySchema, ...errorReplies },
      },
    },
    (request) => runs.control(request.params.run, request.body.action),
  );
}
