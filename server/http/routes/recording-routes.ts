import { gunzipSync } from 'node:zlib';
import { Type } from 'typebox';
import { RECORDING_ENDING, readRecordingHeader } from '../../../protocol/recording.ts';
import { L2mError } from '../../errors.ts';
import { withSections } from '../../recordings/recording-file.ts';
import type { Api } from '../build-http.ts';
import type { HttpDependencies } from '../contracts.ts';
import {
  errorReplies,
  RecordingParams,
  RecordingQuery,
  RecordingsQuery,
  RebuiltReply,
  RecordingsReply,
  RemovedReply,
  RunParams,
} from '../schemas.ts';

const FileReply = Type.Unsafe<Buffer>({ type: 'string', format: 'binary', description: 'see protocol/recording.ts' });
const NotModified = Type.Null({ description: 'the caller has this file already' });
const tags = ['recordings'];

/** Recorded episodes: what there is, one as a file, and away with it. */
export function addRecordingRoutes(api: Api, { recordings }: HttpDependencies): void {
  const { library, scenes, rebuilder } = recordings;

  api.get(
    '/api/runs/:run/recordings',
    {
      config: { access: 'viewer' },
      schema: {
        summary: 'Recorded episodes of a run, newest first',
        tags,
        params: RunParams,
        querystring: RecordingsQuery,
        response: { 200: RecordingsReply, ...errorReplies },
      },
    },
    async (request) => {
      const page = await library.list(request.params.run, request.query);
      return {
        ...page,
        recordings: page.recordings.map((each) => ({ ...each, scene: each.scene || scenes.of(each.task) })),
      };
    },
  );

  api.get(
    '/api/runs/:run/recordings/:episode',
    {
      config: { access: 'viewer' },
      schema: {
        summary: 'One recorded episode as a file',
        tags,
        params: RecordingParams,
        querystring: RecordingQuery,
        response: { 200: FileReply, 304: NotModified, ...errorReplies },
      },
    },
    async (request, reply) => {
      const { run, episode } = request.params;
      const etag = `"${library.tag(run, episode)}${request.query.scene ? '-scene' : ''}"`;
      void reply.headers({ etag, 'cache-control': 'private, no-cache' });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send(null);
      const bytes = await library.read(run, episode);
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${episode}${RECORDING_ENDING}"`)
        .send(request.query.scene ? await withScene(bytes) : bytes);
    },
  );

  api.post(
    '/api/runs/:run/recordings/:episode/poses',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Simulate the episode again and keep poses of every step, if all comes out as recorded',
        tags,
        params: RecordingParams,
        response: { 200: RebuiltReply, ...errorReplies },
      },
    },
    async (request) => ({ pictures: await rebuilder.rebuild(request.params.run, request.params.episode) }),
  );

  api.delete(
    '/api/runs/:run/recordings/:episode',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Remove one recording; scores stay',
        tags,
        params: RecordingParams,
        response: { 200: RemovedReply, ...errorReplies },
      },
    },
    async (request) => {
      await library.remove(request.params.run, request.params.episode);
      return { removed: 1 };
    },
  );

  api.delete(
    '/api/runs/:run/recordings',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Remove all recordings of a run; scores stay',
        tags,
        params: RunParams,
        response: { 200: RemovedReply, ...errorReplies },
      },
    },
    async (request) => ({ removed: await library.removeRun(request.params.run) }),
  );

  /** @throws L2M_SCENE_UNKNOWN, L2M_RECORDING_INVALID */
  async function withScene(bytes: Buffer): Promise<Buffer> {
    const file = readRecordingHeader(bytes);
    if (!file.ok) throw new L2mError('L2M_RECORDING_INVALID', file.error);
    const { task, scene: recorded, sections } = file.value.header;
    if (sections.some(({ name }) => name === 'sceneManifest')) return bytes;
    const hash = recorded === '' ? await scenes.ensure(task) : recorded;
    const scene = await scenes.store.get(hash);
    if (scene === undefined) throw new L2mError('L2M_SCENE_UNKNOWN', hash === '' ? `of ${task}` : hash);
    const whole = await withSections(bytes, {
      sceneManifest: new Uint8Array(gunzipSync(scene.manifest)),
      sceneAssets: new Uint8Array(gunzipSync(scene.assets)),
    });
    if (!whole.ok) throw new L2mError('L2M_RECORDING_INVALID', whole.error);
    return whole.value;
  }
}
