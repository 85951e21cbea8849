import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeMessage, unpackFrames } from '../../protocol/codec.ts';
import { DECODERS } from './decoders.ts';
import { goldenMessages } from './golden-messages.ts';
import type { VerdictCase } from './verdict-cases.ts';

/** What the decoders make of golden and damaged messages, as text to compare. */
export function decodedGoldens(): string {
  const verdicts = join(import.meta.dirname, '..', 'golden', 'protocol', 'verdicts.json');
  const cases = JSON.parse(readFileSync(verdicts, 'utf8')) as VerdictCase[];
  const messages = goldenMessages().map(({ direction, message, frames }) =>
    DECODERS[direction](encodeMessage(message, frames)),
  );
  const damaged = cases.map(({ direction, packed }) => {
    const frames = unpackFrames(Buffer.from(packed, 'base64'));
    return frames.ok ? DECODERS[direction](frames.value) : frames;
  });
  return [...messages, ...damaged]
    .map((result) => (result.ok ? JSON.stringify(result.value.message) : result.error.message))
    .join('\n');
}

/** Whether this process may turn strings into code, which a Content-Security-Policy forbids to a page. */
export function canGenerateCode(): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- what is asked
    new Function('return 1')();
    return true;
  } catch {
    return false;
  }
}
