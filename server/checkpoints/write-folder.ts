import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { L2mError } from '../errors.ts';
import { systemCodeOf } from './tensor-file.ts';

/**
 * Makes a folder of files appear whole or not at all: written under a temporary name beside it, synced, renamed. What stood there
 * is moved aside first and removed last, so an interruption leaves the old folder, the new one, or the old one under `<name>.old`.
 * @throws L2mError L2M_STORE_UNWRITABLE
 */
export async function writeFolder(folder: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const parent = dirname(folder);
  const temporary = join(parent, `.${basename(folder)}.tmp-${process.pid}`);
  const old = join(parent, `.${basename(folder)}.old`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    for (const [name, bytes] of Object.entries(files)) {
      const handle = await open(join(temporary, name), 'wx');
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    await syncFolder(temporary);
    const replaces = await moveAside(folder, old);
    await rename(temporary, folder);
    await syncFolder(parent);
    if (replaces) await rm(old, { recursive: true, force: true });
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw new L2mError('L2M_STORE_UNWRITABLE', `${folder} (${systemCodeOf(cause)})`, { cause });
  }
}

async function moveAside(folder: string, old: string): Promise<boolean> {
  await rm(old, { recursive: true, force: true });
  try {
    await rename(folder, old);
    return true;
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return false;
    throw cause;
  }
}

/** A rename survives a power loss only once the folder that holds the name is on the disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
