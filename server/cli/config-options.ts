import { Option, type Command } from 'commander';
import { loadConfig, parseSetting } from '../config.ts';
import {
  SERVER_CONFIG_KEYS,
  ServerConfigSchema,
  flagOf,
  variableOf,
  type ServerConfig,
  type ServerConfigKey,
} from '../config-schema.ts';

/** Adds a flag for each of the server's settings named in `keys`; all others stay reachable by file and environment. */
export function addConfigOptions(command: Command, keys: readonly ServerConfigKey[] = SERVER_CONFIG_KEYS): Command {
  for (const key of keys) {
    const schema: object = ServerConfigSchema.properties[key];
    const what = 'description' in schema ? String(schema.description) : key;
    const fallback = 'default' in schema ? JSON.stringify(schema.default) : 'none';
    const description = `${what} (default ${fallback}, variable ${variableOf(key)})`;
    command.addOption(
      new Option(`--${flagOf(key)} <value>`, description).argParser((text: string) => parseSetting(key, text)),
    );
  }
  return command.option('--config <file>', 'JSON file with settings (l2m.config.json if it exists)');
}

/** The server's settings from a parsed command, the environment and the file. @throws L2M_CONFIG_INVALID */
export function configOf(options: Readonly<Record<string, unknown>>): ServerConfig {
  const flags = Object.fromEntries(
    SERVER_CONFIG_KEYS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );
  const file = options['config'];
  return loadConfig({ flags, environment: process.env, file: typeof file === 'string' ? file : undefined });
}
