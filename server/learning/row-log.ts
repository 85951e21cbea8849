import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One JSON line a row. */
export interface RowLog<Row> {
  append(row: Row): void;
}

/**
 * Opens a file of rows. A resumed training first drops the rows that were lost with its predecessor, so that every one appears once.
 * @param keeps whether a row that is there already stays; undefined begins anew, whatever is there
 */
export function openRowLog<Row>(path: string, keeps: ((row: Row) => boolean) | undefined): RowLog<Row> {
  mkdirSync(dirname(path), { recursive: true });
  const kept = keeps === undefined ? [] : readRows<Row>(path).filter(keeps);
  writeFileSync(path, kept.map(lineOf).join(''));
  return { append: (row) => appendFileSync(path, lineOf(row)) };
}

/** All whole rows of a file that `openRowLog` wrote; a missing file has none. */
export function readRows<Row>(path: string): Row[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  // What follows the last line feed was torn off by a killed process.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
}

function lineOf(row: unknown): string {
  return `${JSON.stringify(row)}\n`;
}
