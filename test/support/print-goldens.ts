import { canGenerateCode, decodedGoldens } from './decode-goldens.ts';

/** Started by a test with `--disallow-code-generation-from-strings`. */
if (canGenerateCode()) throw new Error('start with --disallow-code-generation-from-strings');
process.stdout.write(decodedGoldens());
