import { errorFromUnknown, L2mError } from '../errors.ts';

const BUSY = /could not set lock|conflicting lock/i;
const UNREADABLE = /not a valid DuckDB database|newer version of DuckDB|serialization error|corrupt|checksum/i;
const UNWRITABLE =
  /no space left|file too large|quota exceeded|permission denied|read-only|could not write|could not create|cannot open file|input\/output error|operation not permitted|could not move/i;
const UNWRITABLE_CODES = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EIO',
  'ENOTDIR',
  'ENOENT',
  'EEXIST',
  'EISDIR',
]);

/**
 * DuckDB reports failures by text only; this is the one place that reads it.
 * @param place the directory or file that was worked on, named in the message
 */
export function storeError(error: unknown, place: string): L2mError {
  if (error instanceof L2mError || !(error instanceof Error)) return errorFromUnknown(error);
  const { message } = error;
  const systemCode = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const reason = `${place}: ${firstSentence(message)}`;
  if (BUSY.test(message)) return new L2mError('L2M_STORE_BUSY', reason, { cause: error });
  if (UNREADABLE.test(message)) return new L2mError('L2M_STORE_UNREADABLE', reason, { cause: error });
  if (UNWRITABLE_CODES.has(systemCode) || UNWRITABLE.test(message)) {
    return new L2mError('L2M_STORE_UNWRITABLE', reason, { cause: error });
  }
  return errorFromUnknown(error);
}

function firstSentence(message: string): string {
  const line = message.split('\n', 1)[0] ?? '';
  return line.replace(/^(?:\w+ (?:Context )?Error|TransactionContext Error): /, '').replace(/\. See also .*$/, '');
}
