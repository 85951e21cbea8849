import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../server/config.ts';
import { L2mError } from '../../../server/errors.ts';

const load = (sources: Partial<Parameters<typeof loadConfig>[0]>) =>
  loadConfig({ flags: {}, environment: {}, file: undefined, ...sources });

function file(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'l2m-config-')), 'settings.json');
  writeFileSync(path, content);
  return path;
}

function refusal(sources: Partial<Parameters<typeof loadConfig>[0]>): L2mError {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof L2mError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('configuration', () => {
  it('has a default for everything and stays on this machine', () => {
    expect(load({})).toMatchObject({ host: '127.0.0.1', endpoint: 'tcp://127.0.0.1:*', port: 8650 });
  });

  it('prefers flags over the environment over the file', () => {
    const path = file('{"port": 1, "workers": 2, "environments": 3}');
    const config = load({ file: path, environment: { L2M_PORT: '10', L2M_WORKERS: '20' }, flags: { port: 100 } });
    expect(config).toMatchObject({ port: 100, workers: 20, environments: 3 });
  });

  it('suggests the nearest name for an unknown variable', () => {
    const error = refusal({ environment: { L2M_WORKRES: '2' } });
    expect(error.code).toBe('L2M_CONFIG_INVALID');
    expect(error.message).toContain('did you mean L2M_WORKERS?');
  });

  it('suggests the nearest key for an unknown one in the file', () => {
    expect(refusal({ file: file('{"prot": 1}') }).message).toContain('did you mean port?');
  });

  it('names the setting, what was got and how to give it', () => {
    const { message } = refusal({ flags: { port: 'eighty' } });
    expect(message).toContain('port');
    expect(message).toContain('"eighty"');
    expect(message).toContain('--port');
  });

  it.each(['{', '[]', '"x"'])('refuses a file that holds %s', (content) => {
    expect(refusal({ file: file(content) }).code).toBe('L2M_CONFIG_INVALID');
  });

  it('refuses a file that was named but is not there', () => {
    expect(refusal({ file: '/nowhere/l2m.json' }).message).toContain('/nowhere/l2m.json');
  });
});
