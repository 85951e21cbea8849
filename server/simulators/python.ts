import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { L2mError } from '../errors.ts';

/** The Python of the simulators' virtual environment that set-up made. @throws L2M_SIMULATOR_FAULT if it is not there */
export function pythonOfSetup(): string {
  const candidates = ['bin/python', 'Scripts/python.exe'].map((path) =>
    fileURLToPath(new URL(`../../.l2m/venv/${path}`, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new L2mError('L2M_SIMULATOR_FAULT', "the simulators' Python environment is missing", {
    hint: 'Run `npm run setup`.',
  });
}
