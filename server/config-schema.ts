import { availableParallelism } from 'node:os';
import { Type, type Static } from 'typebox';

const cores = availableParallelism();

/**
 * Every setting of the server with its default: the one source for types, validation, `--help` and documentation.
 * A setting `stepDeadlineMs` is the flag `--step-deadline-ms`, the variable `L2M_STEP_DEADLINE_MS` and the key in the file.
 */
export const ServerConfigSchema = Type.Object(
  {
    data: Type.String({
      default: 'data',
      minLength: 1,
      description: 'directory for the database, recordings and logs',
    }),
    host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'address of the page and the HTTP API' }),
    port: Type.Integer({ default: 8650, minimum: 0, maximum: 65_535, description: 'port of the page; 0 picks one' }),
    endpoint: Type.String({
      default: 'tcp://127.0.0.1:*',
      pattern: '^(tcp|ipc)://',
      description: 'ZeroMQ address that simulator workers connect to',
    }),
    workers: Type.Integer({
      default: Math.max(1, cores - 1),
      minimum: 0,
      maximum: 256,
      description: 'local simulator processes; 0 waits for remote ones',
    }),
    environments: Type.Integer({ default: 16, minimum: 1, maximum: 256, description: 'environments per worker' }),
    backend: Type.Union(
      [
        Type.Literal('auto'),
        Type.Literal('tensorflow-cuda'),
        Type.Literal('tensorflow-cpu'),
        Type.Literal('wasm'),
        Type.Literal('javascript'),
      ],
      { default: 'auto', description: 'tensor backend: auto, tensorflow-cuda, tensorflow-cpu, wasm or javascript' },
    ),
    threads: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1024,
      description: 'threads of the tensor backend; 0 shares the cores out',
    }),
    precision: Type.Union([Type.Literal('float32'), Type.Literal('bfloat16')], {
      default: 'float32',
      description: 'float32, or bfloat16 for large matrix products: faster with AMX or AVX512-BF16, actions may differ',
    }),
    maxBatch: Type.Integer({
      default: 64,
      minimum: 1,
      maximum: 1024,
      description: 'most environments decided in one batch',
    }),
    maxWaitMs: Type.Number({
      default: 4,
      minimum: 0,
      maximum: 1000,
      description: 'longest a decision waits for company',
    }),
    restartBudget: Type.Integer({
      default: 8,
      minimum: 0,
      maximum: 1000,
      description: 'replacements of failed workers within ten minutes',
    }),
    stepDeadlineMs: Type.Integer({
      default: 15_000,
      minimum: 100,
      description: 'longest a simulator may take for one step',
    }),
    startDeadlineMs: Type.Integer({
      default: 60_000,
      minimum: 100,
      description: 'longest a simulator may take to start an episode',
    }),
    decideDeadlineMs: Type.Integer({
      default: 60_000,
      minimum: 100,
      description: 'longest the agent host may take for one batch',
    }),
    maxAttempts: Type.Integer({
      default: 3,
      minimum: 1,
      maximum: 100,
      description: 'attempts at one episode before it counts as an error',
    }),
    record: Type.Union([Type.Literal('all'), Type.Literal('sampled'), Type.Literal('none')], {
      default: 'sampled',
      description: 'poses to record: all, sampled (every 25th start, and what is watched) or none (no recordings)',
    }),
    recordLimitMb: Type.Integer({
      default: 4096,
      minimum: 1,
      maximum: 100_000_000,
      description: 'size of all recordings in megabytes; beyond it the oldest go',
    }),
    curveKeys: Type.String({
      default: '',
      description: 'key file for CURVE; needed when workers connect from other machines',
    }),
    tokens: Type.String({
      default: '',
      description: 'token file for HTTP; needed when the page is served beyond this machine',
    }),
    allowedHosts: Type.String({
      default: '',
      pattern: '^([a-z0-9.-]+(,[a-z0-9.-]+)*)?$',
      description: 'host names, besides localhost, under which the page is served; separated by commas',
    }),
    logLevel: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')], {
      default: 'info',
      description: 'level of <data>/server.log: debug, info, warn or error',
    }),
  },
  { additionalProperties: false },
);

export type ServerConfig = Static<typeof ServerConfigSchema>;
export type ServerConfigKey = keyof ServerConfig;

export const SERVER_CONFIG_KEYS = Object.keys(ServerConfigSchema.properties) as readonly ServerConfigKey[];

/** `stepDeadlineMs` -> `step-deadline-ms` */
export function flagOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `stepDeadlineMs` -> `L2M_STEP_DEADLINE_MS` */
export function variableOf(key: string): string {
  return `L2M_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
