import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { L2mError } from '../errors.ts';
import { storeError } from '../store/store-error.ts';
import { LogFile } from './log-file.ts';

type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type Log = Logger;

export interface LogOptions {
  /** `<data>/server.log`; null writes no file. */
  readonly file: string | null;
  readonly fileLevel: LogLevel;
  /** What also goes to standard error. */
  readonly terminalLevel: LogLevel;
  /** Readable lines on the terminal instead of JSON. */
  readonly pretty: boolean;
  readonly maxFileBytes?: number;
}

export interface OpenLog {
  readonly log: Log;
  readonly close: () => void;
}

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Whatever is logged, these never are. */
const SECRETS = [
  'token',
  'tokens',
  '*.token',
  '*.tokens',
  '*.secretKey',
  'headers.authorization',
  '*.headers.authorization',
];

/**
 * Opens the log of one process; parts take a child: `log.child({ worker: id })`.
 * @throws L2M_STORE_UNWRITABLE if the file cannot be opened
 */
export function openLog(options: LogOptions): OpenLog {
  const file = options.file === null || options.fileLevel === 'silent' ? null : openFile(options.file, options);
  const streams: pino.StreamEntry[] = [];
  if (file !== null && options.fileLevel !== 'silent') streams.push({ level: options.fileLevel, stream: file });
  if (options.terminalLevel !== 'silent')
    streams.push({ level: options.terminalLevel, stream: terminal(options.pretty) });
  const level = lowest(options);
  const log = pino(
    { level, base: null, redact: SECRETS, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(streams),
  );
  return { log, close: () => file?.close() };
}

/** A log that goes nowhere, for tests and for parts used alone. */
export function silentLog(): Log {
  return pino({ level: 'silent' });
}

/** Writes a failure once, as loud as its severity, with its cause; internal ones are found by their correlation id. */
export function logFailure(log: Log, error: L2mError, context: Readonly<Record<string, unknown>> = {}): void {
  const fields = { ...context, err: error, code: error.code, correlationId: error.correlationId };
  switch (error.severity) {
    case 'retry':
      log.warn(fields, error.message);
      break;
    case 'refused':
      log.info(fields, error.message);
      break;
    case 'fatal':
      log.error(fields, error.message);
      break;
  }
}

function openFile(path: string, options: LogOptions): LogFile {
  try {
    return new LogFile(path, options.maxFileBytes ?? MAX_FILE_BYTES);
  } catch (error) {
    throw storeError(error, path);
  }
}

function terminal(readable: boolean): pino.DestinationStream {
  if (!readable) return process.stderr;
  return pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
}

const ORDER: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

function lowest(options: LogOptions): LogLevel {
  const file = options.file === null ? 'silent' : options.fileLevel;
  return ORDER[Math.min(ORDER.indexOf(file), ORDER.indexOf(options.terminalLevel))] ?? 'silent';
}
