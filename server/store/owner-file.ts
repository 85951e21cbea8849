import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';

const OWNER_FILE = 'l2m.lock';

const OwnerSchema = Type.Object({
  pid: Type.Integer(),
  host: Type.String(),
  startedAt: Type.String(),
  /** Where its HTTP API listens, once it does. */
  url: Type.Union([Type.String(), Type.Null()]),
});
export type Owner = Static<typeof OwnerSchema>;

/**
 * Says which server has a data directory and where to reach it. For people and other commands only: the lock itself is
 * the operating system's on the database file, which ends with its process, so that a file left by a killed server
 * never keeps the next one out.
 */
export async function writeOwner(directory: string, url: string | null): Promise<void> {
  const owner: Owner = { pid: process.pid, host: hostname(), startedAt: new Date().toISOString(), url };
  await writeFile(join(directory, OWNER_FILE), `${JSON.stringify(owner)}\n`);
}

/** What the file says, or undefined if there is none or it cannot be understood. */
export async function readOwner(directory: string): Promise<Owner | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(directory, OWNER_FILE), 'utf8'));
    return Value.Check(OwnerSchema, parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

export async function removeOwner(directory: string): Promise<void> {
  await rm(join(directory, OWNER_FILE), { force: true });
}
