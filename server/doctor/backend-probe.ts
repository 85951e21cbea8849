/**
 * A process that starts the tensor backend and says in one line of JSON which it is: native code that aborts takes this
 * process with it and not the one that asks. Argument: BackendOptions as JSON.
 */
import { describeBackend, startBackend, type BackendOptions } from '../tensors/backend.ts';

try {
  const backend = await startBackend(JSON.parse(process.argv[2] ?? '{}') as BackendOptions);
  const description = { kind: backend.kind, fallbacks: backend.fallbacks, text: describeBackend(backend) };
  process.stdout.write(`${JSON.stringify(description)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
