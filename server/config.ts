import { existsSync, readFileSync } from 'node:fs';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { L2mError, nearestName } from './errors.ts';
import { SERVER_CONFIG_KEYS, ServerConfigSchema, flagOf, variableOf, type ServerConfig } from './config-schema.ts';

export interface ConfigSources {
  /** From the command line, by key; values that were not given are absent. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** JSON file; `l2m.config.json` is read if it exists, a file named explicitly must exist. */
  readonly file: string | undefined;
}

const DEFAULT_FILE = 'l2m.config.json';

/** Variables of this project that are no settings of the server. */
const OTHER_VARIABLES = new Set(['L2M_PYTHON', 'L2M_GOLDEN', 'L2M_CHROMIUM', 'L2M_PROGRESS_MS', 'L2M_TOKEN']);

const validator = Compile(ServerConfigSchema);

/**
 * The server's settings: flags over environment over file over defaults.
 * @throws L2M_CONFIG_INVALID naming the key, where it came from, what was got and, for unknown keys, the nearest known one
 */
export function loadConfig(sources: ConfigSources): ServerConfig {
  const fromFile = readConfigFile(sources.file);
  const fromEnvironment = readEnvironment(sources.environment);
  const merged: Record<string, unknown> = { ...fromFile, ...fromEnvironment, ...sources.flags };
  const config: unknown = Value.Default(ServerConfigSchema, merged);
  if (validator.Check(config)) return config;
  const [problem] = validator.Errors(config);
  const key = problem?.instancePath.slice(1) ?? '';
  throw invalid(
    `${key} ${problem?.message ?? 'does not fit'}, got ${JSON.stringify(merged[key])} (flag --${flagOf(key)}, variable ${variableOf(key)})`,
  );
}

function readConfigFile(named: string | undefined): Record<string, unknown> {
  const path = named ?? DEFAULT_FILE;
  if (named === undefined && !existsSync(path)) return {};
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`the file ${path} cannot be read as JSON: ${reason}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`the file ${path} must hold one JSON object`);
  }
  for (const key of Object.keys(value)) {
    if (!SERVER_CONFIG_KEYS.some((known) => known === key))
      throw unknown(`key ${key} in ${path}`, key, SERVER_CONFIG_KEYS);
  }
  return value as Record<string, unknown>;
}

function readEnvironment(environment: ConfigSources['environment']): Record<string, unknown> {
  const keyOf = new Map(SERVER_CONFIG_KEYS.map((key) => [variableOf(key), key]));
  const values: Record<string, unknown> = {};
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('L2M_') || OTHER_VARIABLES.has(variable) || text === undefined) continue;
    const key = keyOf.get(variable);
    if (key === undefined) throw unknown(`variable ${variable}`, variable, [...keyOf.keys()]);
    values[key] = parseSetting(key, text);
  }
  return values;
}

/** Text from a flag or variable as the type its setting has; text that is no number is left for the validator to refuse. */
export function parseSetting(key: keyof ServerConfig, text: string): unknown {
  const schema = ServerConfigSchema.properties[key];
  const isNumber = 'type' in schema && (schema.type === 'integer' || schema.type === 'number');
  return isNumber && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

function unknown(what: string, name: string, known: readonly string[]): L2mError {
  const suggestion = nearestName(name, known);
  return invalid(`unknown ${what}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`);
}

function invalid(got: string): L2mError {
  return new L2mError('L2M_CONFIG_INVALID', got);
}
