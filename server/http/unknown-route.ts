import type { FastifyInstance } from 'fastify';
import { L2mError, nearestName } from '../errors.ts';
import { sendError } from './error-reply.ts';

interface KnownRoute {
  readonly url: string;
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Answers addresses and methods that do not exist with what does. Call it before any route is added. */
export function installUnknownRoute(app: FastifyInstance): void {
  const known = new Map<string, KnownRoute>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const route = known.get(url) ?? { url, pattern: patternOf(url), methods: new Set<string>() };
    for (const each of [method].flat()) route.methods.add(each);
    known.set(url, route);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const shown = `${request.method} ${path.slice(0, 200)}`;
    const sameAddress = [...known.values()].find(({ pattern }) => pattern.test(path));
    if (sameAddress !== undefined) {
      const methods = [...sameAddress.methods].join(', ');
      const hint = `This address takes ${methods}.`;
      return sendError(reply.header('allow', methods), new L2mError('L2M_ROUTE_UNKNOWN', shown, { hint }), 405);
    }
    const nearest = nearestName(path, [...known.keys()]);
    const hint = nearest === undefined ? {} : { hint: `Did you mean ${nearest}? The page /docs lists every route.` };
    return sendError(reply, new L2mError('L2M_ROUTE_UNKNOWN', shown, hint));
  });
}

function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
