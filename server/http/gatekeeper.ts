import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { L2mError } from '../errors.ts';
import { originAccepted } from '../live/page-access.ts';
import { allows, hasTokens, roleOfRequest, type Access, type AccessTokens } from './access.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. Left out: `admin` below /api, everybody elsewhere. */
    access?: Access;
  }
}

/** Lets a request through if its token has the role that the route asks for. Call it before any route is added. */
export function installGatekeeper(app: FastifyInstance, tokens: AccessTokens, allowedHosts: readonly string[]): void {
  app.addHook('onRequest', (request, _reply, next) => {
    try {
      if (hasTokens(tokens)) assertRole(request, tokens);
      else assertLocal(request, allowedHosts);
      next();
    } catch (error) {
      next(error as L2mError);
    }
  });
}

function assertRole(request: FastifyRequest, tokens: AccessTokens): void {
  const access = accessOf(request);
  if (access === 'public') return;
  const role = roleOfRequest(tokens, request.headers.authorization);
  if (role === undefined) throw new L2mError('L2M_TOKEN_REFUSED', `this address needs the role ${access}`);
  if (!allows(role, access))
    throw new L2mError('L2M_ROLE_INSUFFICIENT', `it has the role ${role}, ${access} is needed`);
}

/**
 * Without tokens the browser of a user of this machine is the way in: another site may not act through it (its origin
 * differs), nor read by resolving its own name to this machine (the host is then a name that is not ours).
 */
function assertLocal(request: FastifyRequest, allowedHosts: readonly string[]): void {
  const host = request.headers.host ?? '';
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '') : '';
  if (name !== 'localhost' && isIP(name) === 0 && !allowedHosts.includes(name)) {
    throw new L2mError('L2M_ORIGIN_REFUSED', `the host ${JSON.stringify(host.slice(0, 120))}`);
  }
  const reading = request.method === 'GET' || request.method === 'HEAD';
  if (!reading && !originAccepted(request.raw, allowedHosts)) {
    throw new L2mError('L2M_ORIGIN_REFUSED', `the origin ${JSON.stringify(request.headers.origin?.slice(0, 120))}`);
  }
}

function accessOf(request: FastifyRequest): Access {
  const { config, url } = request.routeOptions;
  if (config.access !== undefined) return config.access;
  return url?.startsWith('/api') === true ? 'admin' : 'public';
}
