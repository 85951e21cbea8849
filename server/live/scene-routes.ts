import { gunzipSync } from 'node:zlib';
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { wireError } from '../../protocol/error-codes.ts';
import type { SceneStore } from './scenes.ts';

const YEAR_S = 365 * 24 * 3600;

const Params = Type.Object({ hash: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'content address' }) });

/** `GET /scene/:hash` (JSON manifest) and `GET /scene/:hash/assets` (binary). Their content never changes. */
export const sceneRoutes: FastifyPluginCallback<{ scenes: SceneStore }> = (app, { scenes }, done) => {
  const answer =
    (part: 'manifest' | 'assets', contentType: string) => async (request: FastifyRequest, reply: FastifyReply) => {
      const { hash } = request.params as { hash: string };
      const scene = await scenes.get(hash);
      if (scene === undefined) {
        return reply.code(404).send(wireError('L2M_SCENE_UNKNOWN', hash));
      }
      void reply
        .header('content-type', contentType)
        .header('cache-control', `public, max-age=${YEAR_S}, immutable`)
        .header('etag', `"${hash}-${part}"`)
        .header('vary', 'accept-encoding');
      if (request.headers['if-none-match'] === `"${hash}-${part}"`) return reply.code(304).send();
      if (!acceptsGzip(request)) return reply.send(gunzipSync(scene[part]));
      return reply.header('content-encoding', 'gzip').send(scene[part]);
    };
  const schema = { params: Params, tags: ['scenes'] };
  const config = { access: 'viewer' as const };
  app.get(
    '/scene/:hash',
    { config, schema: { ...schema, summary: 'Manifest of a scene' } },
    answer('manifest', 'application/json'),
  );
  app.get(
    '/scene/:hash/assets',
    { config, schema: { ...schema, summary: 'Meshes and textures of a scene' } },
    answer('assets', 'application/octet-stream'),
  );
  done();
};

function acceptsGzip(request: FastifyRequest): boolean {
  const accepted = request.headers['accept-encoding'];
  return (Array.isArray(accepted) ? accepted.join() : (accepted ?? '')).includes('gzip');
}
