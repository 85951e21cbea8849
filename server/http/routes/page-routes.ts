import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { Api } from '../build-http.ts';

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8" />
<title>l2m</title>
<h1>The page is not built</h1>
<p>The server runs, but its page is missing. Build it with <code>npm run build</code> and start the server again.</p>
<p>The <a href="/docs">HTTP API</a> works without it.</p>
</html>
`;

/** The page at `/`. Files whose names carry a hash of their content may be kept by browsers for good. */
export async function addPageRoutes(api: Api, dashboard: string): Promise<void> {
  if (existsSync(join(dashboard, 'index.html'))) {
    await api.register(fastifyStatic, {
      root: dashboard,
      cacheControl: false,
      setHeaders: (reply, path) => {
        const hashed = path.startsWith(join(dashboard, 'assets'));
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
    return;
  }
  api.get('/', { config: { access: 'public' }, schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(NOT_BUILT),
  );
}
