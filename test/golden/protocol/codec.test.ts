import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import { encodeMessage, packFrames, unpackFrames } from '../../../protocol/codec.ts';
import { DECODERS } from '../../support/decoders.ts';
import type { Direction } from '../../support/golden-message.ts';
import { goldenMessages } from '../../support/golden-messages.ts';
import { DIRECTIONS, protocolSchema, SCHEMA_FILES } from '../../support/protocol-schema.ts';
import { readableMessage } from '../../support/readable-message.ts';
import { verdictCases, type VerdictCase } from '../../support/verdict-cases.ts';

const folder = import.meta.dirname;
const root = join(folder, '..', '..', '..');

interface Golden {
  readonly direction: Direction;
  readonly message: Record<string, unknown>;
}

function golden(name: string): Golden {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Golden;
}

/** The message in a golden file, made readable. */
function decoded(file: string, direction: Direction): Record<string, unknown> {
  const frames = unpackFrames(readFileSync(join(folder, file)));
  if (!frames.ok) throw new Error(frames.error.message);
  const result = DECODERS[direction](frames.value);
  if (!result.ok) throw new Error(result.error.message);
  return readableMessage(result.value.message, result.value.frames);
}

describe('golden messages', () => {
  it.each(goldenMessages())('$name is encoded as in the file', ({ name, direction, message, frames }) => {
    const packed = Buffer.from(packFrames(encodeMessage(message, frames)));
    expect(packed.equals(readFileSync(join(folder, 'typescript', `${name}.msgpack`)))).toBe(true);
    expect(golden(name)).toEqual({ direction, message: readableMessage(message, frames) });
  });

  it.each(goldenMessages())('$name is decoded as in the file', ({ name, direction }) => {
    expect(decoded(`typescript/${name}.msgpack`, direction)).toEqual(golden(name).message);
  });

  const fromPython = goldenMessages().filter(({ direction }) => direction === 'worker');
  it.each(fromPython)('$name is decoded equally from the bytes that Python made', ({ name, direction }) => {
    expect(decoded(`python/${name}.msgpack`, direction)).toEqual(golden(name).message);
  });

  it('cover every type of every direction, and no file is left over', () => {
    const goldens = goldenMessages();
    const covered = new Set(goldens.map(({ direction, message }) => `${direction} ${message.type}`));
    for (const [direction, schemas] of Object.entries(DIRECTIONS)) {
      for (const schema of schemas) expect(covered).toContain(`${direction} ${schema.properties.type.const}`);
    }
    const names = goldens.map(({ name }) => name).sort();
    const files = readdirSync(join(folder, 'typescript')).map((file) => file.replace('.msgpack', ''));
    expect(files.sort()).toEqual(names);
  });
});

describe('verdicts', () => {
  const cases = JSON.parse(readFileSync(join(folder, 'verdicts.json'), 'utf8')) as VerdictCase[];

  it('of damaged messages are as in the file that Python is held to', () => {
    for (const [index, { direction, packed, verdict }] of cases.entries()) {
      const frames = unpackFrames(Buffer.from(packed, 'base64'));
      const result = frames.ok ? DECODERS[direction](frames.value) : frames;
      expect(`${index} ${result.ok ? 'ok' : result.error.code}`).toBe(`${index} ${verdict}`);
    }
  });

  it('come from the script unchanged', () => {
    expect(verdictCases()).toEqual(cases);
  });
});

describe('generated schema', () => {
  it.each(SCHEMA_FILES)('%s is what the script makes (node --import tsx test/support/generate-schema.ts)', async (file) => {
    expect(existsSync(join(root, file))).toBe(true);
    const text = await format(JSON.stringify(protocolSchema()), { parser: 'json', printWidth: 120 });
    expect(readFileSync(join(root, file), 'utf8')).toBe(text);
  });
});
