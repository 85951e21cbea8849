import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { paths } from './paths.mjs';

/**
 * One word for the state of a stage's inputs.
 *
 * @param {{ words?: (string | undefined)[], files?: string[], folders?: string[] }} inputs paths from the checkout's root;
 *   a missing file counts as empty. In folders, `node_modules`, `dist` and names with a leading dot are left out.
 */
export function hashInputs(inputs) {
  const hash = createHash('sha256');
  for (const word of inputs.words ?? []) hash.update(`${word ?? ''}\0`);
  for (const file of inputs.files ?? []) addFile(hash, path.join(paths.root, file), file);
  for (const folder of inputs.folders ?? []) addFolder(hash, path.join(paths.root, folder), folder);
  return hash.digest('hex');
}

function addFile(hash, file, name) {
  hash.update(`${name}\0`);
  try {
    hash.update(readFileSync(file));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function addFolder(hash, folder, name) {
  let entries = [];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  entries.sort((left, right) => (left.name < right.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === 'dist') continue;
    const child = path.join(folder, entry.name);
    if (entry.isDirectory()) addFolder(hash, child, `${name}/${entry.name}`);
    else if (!entry.name.endsWith('.md')) addFile(hash, child, `${name}/${entry.name}`);
  }
}
