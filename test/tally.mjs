import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {{ passed: number, failed: number, skipped: number }} Tally */

export const root = fileURLToPath(new URL('..', import.meta.url));
export const reportFolder = path.join(root, '.l2m/test');

/** @param {Tally[]} tallies */
export function sumTallies(tallies) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const tally of tallies) for (const key of Object.keys(sum)) sum[key] += tally[key];
  return sum;
}

/** The line that automatic runs look for; it has to be the last one and plain. */
export function closingLine(tally) {
  return `${tally.passed} passed, ${tally.failed} failed${tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''}`;
}

export function saveTally(name, tally) {
  mkdirSync(reportFolder, { recursive: true });
  writeFileSync(path.join(reportFolder, `${name}.tally.json`), JSON.stringify(tally));
}

/** A part that left no tally did not come to its end, which is a failure. */
export function readTally(name) {
  try {
    return JSON.parse(readFileSync(path.join(reportFolder, `${name}.tally.json`), 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/**
 * From vitest's JSON report. A file that could not be loaded, and an error outside of any test, count as one failure each.
 *
 * @returns {Tally}
 */
export function tallyOfVitest(report, exitCode) {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/**
 * From pytest's JUnit report.
 *
 * @returns {Tally}
 */
export function tallyOfPytest(xml, exitCode) {
  const suite = /<testsuite [^>]*>/.exec(xml)?.[0] ?? '';
  const count = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  const skipped = count('skipped');
  return {
    passed: Math.max(0, count('tests') - failed - skipped),
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped,
  };
}
