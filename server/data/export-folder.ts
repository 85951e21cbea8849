import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from '../checkpoints/tensor-file.ts';
import { L2mError } from '../errors.ts';

/**
 * Writes a folder beside its place and renames it, so that there is never half a data set.
 * @throws L2mError L2M_CONFIG_INVALID if the folder exists and may not be replaced, L2M_STORE_UNWRITABLE
 */
export async function exportFolder(
  folder: string,
  overwrite: boolean,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  if (existsSync(folder) && !overwrite) {
    throw new L2mError('L2M_CONFIG_INVALID', `${folder} exists already`, {
      hint: 'Choose another folder with --to, or replace it with --overwrite.',
    });
  }
  const temporary = `${folder}.tmp-${process.pid}`;
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(temporary);
    await write(temporary);
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    if (cause instanceof L2mError) throw cause;
    throw new L2mError('L2M_STORE_UNWRITABLE', `${folder} (${systemCodeOf(cause)})`, { cause });
  }
}
