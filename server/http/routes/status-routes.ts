import { KNOWN_TASKS, TASK_GROUPS } from '../../../agent/tasks/groups.ts';
import { domainOf, type TaskId } from '../../../protocol/task.ts';
import type { Api } from '../build-http.ts';
import type { HttpDependencies, HttpOptions, TaskCatalog } from '../contracts.ts';
import { errorReplies, HealthReply, ReadyReply, TasksReply, WorkersReply } from '../schemas.ts';
import type { Static } from 'typebox';

/** Whether the server lives and works, and what it works with. */
export function addStatusRoutes(api: Api, dependencies: HttpDependencies, options: HttpOptions): void {
  api.get(
    '/api/health',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Answers while the process lives',
        tags: ['status'],
        response: { 200: HealthReply, ...errorReplies },
      },
    },
    () => ({ status: 'alive' as const, version: options.version, uptimeSeconds: process.uptime() }),
  );

  api.get(
    '/api/ready',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Whether an evaluation could start now',
        description: 'state "degraded" still works, with 200; "unready" is answered with 503. Both give their reasons.',
        tags: ['status'],
        response: { 200: ReadyReply, 503: ReadyReply },
      },
    },
    (_request, reply) => {
      const { state, reasons } = dependencies.readiness();
      void reply.code(state === 'unready' ? 503 : 200);
      return { state, reasons: [...reasons] };
    },
  );

  api.get(
    '/api/tasks',
    {
      config: { access: 'viewer' },
      schema: {
        summary: 'Every task and group of tasks',
        tags: ['status'],
        response: { 200: TasksReply, ...errorReplies },
      },
    },
    () => taskList(dependencies.tasks),
  );

  api.get(
    '/api/workers',
    {
      config: { access: 'viewer' },
      schema: { summary: 'Simulator workers', tags: ['status'], response: { 200: WorkersReply, ...errorReplies } },
    },
    () => ({ workers: [...dependencies.workers()] }),
  );

  api.get(
    '/metrics',
    {
      config: { access: 'viewer' },
      schema: { summary: 'Figures for Prometheus', tags: ['status'], produces: ['text/plain'] },
    },
    async (_request, reply) => {
      const { registry } = dependencies.metrics;
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  );
}

function taskList(catalog: TaskCatalog): Static<typeof TasksReply> {
  const hosted = new Set(catalog.hosted());
  const tasks = [...new Set<TaskId>([...KNOWN_TASKS, ...hosted])].sort();
  const groups = Object.fromEntries(Object.entries(TASK_GROUPS).map(([name, members]) => [name, [...members]]));
  return {
    tasks: tasks.map((task) => {
      const spec = catalog.spec(task);
      return {
        task,
        domain: domainOf(task),
        hosted: hosted.has(task),
        observationSize: spec?.observation.reduce((sum, part) => sum + part.size, 0) ?? null,
        actionSize: spec?.actionSize ?? null,
      };
    }),
    groups,
  };
}
