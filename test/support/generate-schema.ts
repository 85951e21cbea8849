import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format } from 'prettier';
import { protocolSchema, SCHEMA_FILES } from './protocol-schema.ts';

/** Writes the generated schema files: `node --import tsx test/support/generate-schema.ts`. */
const root = join(import.meta.dirname, '..', '..');
const text = await format(JSON.stringify(protocolSchema()), { parser: 'json', printWidth: 120 });
for (const file of SCHEMA_FILES) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
  console.log(`wrote ${file}`);
}
