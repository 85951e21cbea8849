import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeMessage, packFrames } from '../../protocol/codec.ts';
import { goldenMessages } from './golden-messages.ts';
import { readableMessage } from './readable-message.ts';
import { verdictCases } from './verdict-cases.ts';

/** Writes the golden protocol files: `node --import tsx test/support/generate-golden.ts`, then the Python script. */
const folder = join(import.meta.dirname, '..', 'golden', 'protocol');
mkdirSync(join(folder, 'typescript'), { recursive: true });
const goldens = goldenMessages();
for (const { name, direction, message, frames } of goldens) {
  const readable = { direction, message: readableMessage(message, frames) };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(readable, null, 2)}\n`);
  writeFileSync(join(folder, 'typescript', `${name}.msgpack`), packFrames(encodeMessage(message, frames)));
}
const verdicts = verdictCases();
writeFileSync(join(folder, 'verdicts.json'), `[\n${verdicts.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
console.log(`wrote ${goldens.length} messages and ${verdicts.length} verdicts to test/golden/protocol`);
