import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify, type FastifyBaseLogger, type FastifyInstance, type RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpDependencies, HttpOptions } from './contracts.ts';
import { installErrorReplies } from './error-reply.ts';
import { installGatekeeper } from './gatekeeper.ts';
import { addCompareRoute } from './routes/compare-route.ts';
import { addContinualRoutes } from './routes/continual-routes.ts';
import { addControlRoutes } from './routes/control-routes.ts';
import { addDataRoute } from './routes/data-route.ts';
import { addExportRoute } from './routes/export-route.ts';
import { addPageRoutes } from './routes/page-routes.ts';
import { addRecordingRoutes } from './routes/recording-routes.ts';
import { addRunRoutes } from './routes/run-routes.ts';
import { addStatusRoutes } from './routes/status-routes.ts';
import { installUnknownRoute } from './unknown-route.ts';

/** A fastify instance that types requests and replies by their TypeBox schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const BODY_BYTES = 64 * 1024;
const CONNECTIONS = 256;

/**
 * The HTTP API and the page, not yet listening: the caller adds what else it serves (scenes, the WebSocket on
 * `api.server`) and then calls `listen`.
 */
export async function buildHttp(dependencies: HttpDependencies, options: HttpOptions): Promise<Api> {
  const api: Api = fastify({
    bodyLimit: BODY_BYTES,
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    routerOptions: { maxParamLength: 128 },
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true, useDefaults: true } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  api.server.maxConnections = CONNECTIONS;
  // Only JSON is taken, which another site's form cannot send.
  api.removeContentTypeParser('text/plain');

  installErrorReplies(api, dependencies.log);
  installUnknownRoute(api);
  installGatekeeper(api, options.tokens, options.allowedHosts);
  api.addHook('onRequest', (_request, reply, next) => {
    void reply.headers({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
    });
    next();
  });

  await api.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'l2m',
        version: options.version,
        description: 'Evaluations of robot policies on live simulators: start, control and read them.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  });
  await api.register(fastifySwaggerUi, { routePrefix: '/docs' });

  addStatusRoutes(api, dependencies, options);
  addRunRoutes(api, dependencies);
  addControlRoutes(api, dependencies);
  addExportRoute(api, dependencies);
  addCompareRoute(api, dependencies);
  addRecordingRoutes(api, dependencies);
  addContinualRoutes(api, dependencies);
  addDataRoute(api, dependencies);
  await addPageRoutes(api, options.dashboard);
  return api;
}
