import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Type } from '../../../dashboards/schema-builder.ts';

const protocol = new URL('../../../protocol/', import.meta.url).pathname;
const files = readdirSync(protocol).filter((name) => name.endsWith('.ts'));

/** Every schema that a file of the protocol exports, as JSON with sorted keys. */
async function schemasOf(): Promise<Record<string, string>> {
  const schemas: Record<string, string> = {};
  for (const file of files) {
    const module = (await import(/* @vite-ignore */ join(protocol, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) {
      if (name.endsWith('Schema')) schemas[`${file} ${name}`] = JSON.stringify(value, sorted);
    }
  }
  return schemas;
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)));
}

test('every schema of the protocol is the one that TypeBox makes', async () => {
  const theirs = await schemasOf();
  vi.resetModules();
  const objects = vi.fn(Type.Object);
  vi.doMock('typebox', () => ({ Type: { ...Type, Object: objects } }));
  const ours = await schemasOf();
  vi.doUnmock('typebox');
  expect(objects.mock.calls.length).toBeGreaterThan(30);
  expect(Object.keys(theirs).length).toBeGreaterThan(20);
  expect(ours).toEqual(theirs);
});

test('every maker that the protocol calls is there', () => {
  const called = files.flatMap((file) => [...readFileSync(join(protocol, file), 'utf8').matchAll(/\bType\.(\w+)\(/g)]);
  expect(called.length).toBeGreaterThan(100);
  for (const [, maker = ''] of called) expect(Object.keys(Type)).toContain(maker);
});
