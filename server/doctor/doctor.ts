import type { BackendOptions } from '../tensors/backend.ts';
import { dataFinding } from './data-findings.ts';
import type { Finding } from './finding.ts';
import { machineFindings } from './machine-findings.ts';
import { setUpFindings } from './set-up-findings.ts';
import { simulatorFindings } from './simulator-findings.ts';
import { tensorFindings } from './tensor-findings.ts';

export interface DoctorOptions {
  readonly dataDirectory: string;
  readonly workers: number;
  /** Threads inside one tensor operation. */
  readonly threads: number;
  readonly backend: NonNullable<BackendOptions['backend']>;
  readonly precision: NonNullable<BackendOptions['precision']>;
}

export interface DoctorReport {
  readonly findings: readonly Finding[];
  /** 1 when something is missing that the main job needs; warnings do not count. */
  readonly exitCode: 0 | 1;
}

/** Looks at everything l2m needs, starting each program once. Takes a few seconds, nearly all of it TensorFlow's start. */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport> {
  const [simulators, tensors, machine] = await Promise.all([
    simulatorFindings(),
    tensorFindings({ backend: options.backend, threadCount: options.threads, precision: options.precision }),
    machineFindings(options),
  ]);
  return reportOf([...setUpFindings(), ...simulators, ...tensors, ...machine, dataFinding(options.dataDirectory)]);
}

export function reportOf(findings: readonly Finding[]): DoctorReport {
  return { findings, exitCode: findings.some((finding) => finding.state === 'missing') ? 1 : 0 };
}

const MARKS = { good: 'ok  ', warning: 'warn', missing: 'MISS' } as const;

/** The report as text: one line per finding, under it how to fix it, and a closing sentence. */
export function formatDoctorReport(report: DoctorReport): string {
  const width = Math.max(...report.findings.map((finding) => finding.name.length));
  const lines = report.findings.flatMap((finding) => {
    const line = `${MARKS[finding.state]}  ${finding.name.padEnd(width)}  ${finding.detail}`;
    return finding.state === 'good' ? [line] : [line, `      ${' '.repeat(width)}  -> ${finding.fix}`];
  });
  return [...lines, '', closingSentence(report)].join('\n');
}

function closingSentence(report: DoctorReport): string {
  const warnings = report.findings.filter((finding) => finding.state === 'warning').length;
  const lacks = report.findings.filter((finding) => finding.state === 'missing').length;
  const also = warnings === 0 ? '' : ` ${things(warnings)} could be better.`;
  return report.exitCode === 0 ? `Everything needed is there.${also}` : `${things(lacks)} needed and missing.${also}`;
}

function things(count: number): string {
  return count === 1 ? '1 thing' : `${count} things`;
}
