import { createReadStream, type ReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from 'typebox';
import type { Api } from '../build-http.ts';
import type { HttpDependencies } from '../contracts.ts';
import { errorReplies, ExportQuery, RunParams } from '../schemas.ts';

const MEDIA_TYPES = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
} as const;

/** Streams pass the serializer by; this is what the OpenAPI page says of them. */
const FileReply = Type.Unsafe<ReadStream>({ type: 'string', format: 'binary', description: 'the file' });

/** A whole run as a file: written beside, streamed, and removed when the answer is over, however it ends. */
export function addExportRoute(api: Api, { store }: HttpDependencies): void {
  api.get(
    '/api/runs/:run/export',
    {
      config: { access: 'viewer' },
      schema: {
        summary: 'A run as JSON, CSV or Parquet',
        description: 'JSON holds the run, its scores and episodes; CSV and Parquet one row per attempt.',
        tags: ['runs'],
        params: RunParams,
        querystring: ExportQuery,
        response: { 200: FileReply, ...errorReplies },
      },
    },
    async (request, reply) => {
      const { run } = request.params;
      const { format } = request.query;
      const folder = await mkdtemp(join(tmpdir(), 'l2m-export-'));
      const remove = (): void => void rm(folder, { recursive: true, force: true });
      const path = join(folder, `run.${format}`);
      try {
        await store.exportRun(run, path, format);
      } catch (error) {
        remove();
        throw error;
      }
      const content = createReadStream(path);
      content.once('close', remove);
      return reply
        .type(MEDIA_TYPES[format])
        .header('content-disposition', `attachment; filename="${run}.${format}"`)
        .send(content);
    },
  );
}
