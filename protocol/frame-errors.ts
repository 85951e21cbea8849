/** How a failure is treated: `retry` may go away by itself, `refused` needs a changed request, `fatal` needs a person. */
export type ErrorSeverity = 'retry' | 'refused' | 'fatal';

export interface ErrorEntry {
  readonly severity: ErrorSeverity;
  /** What happened; `%s` is replaced by what was got. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/** What can be wrong with bytes that came; apart from the rest of the table, because the page needs no more of it. */
export const FRAME_ERRORS = {
  L2M_FRAME_TOO_LARGE: {
    severity: 'refused',
    message: 'A message exceeds the wire limits: %s.',
    hint: 'Send fewer environments in one message, or raise the limit on both ends.',
  },
  L2M_FRAME_MALFORMED: {
    severity: 'refused',
    message: 'The bytes are not a message of this protocol: %s.',
    hint: 'Check that the peer is an l2m worker or page and that nothing rewrites its frames.',
  },
  L2M_TENSOR_MISMATCH: {
    severity: 'refused',
    message: 'A tensor does not match its description: %s.',
    hint: 'The product of the shape times the item size must equal the frame length.',
  },
  L2M_MESSAGE_INVALID: {
    severity: 'refused',
    message: 'The message does not fit its schema: %s.',
    hint: 'Compare it with protocol/generated/schema.json.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type FrameErrorCode = keyof typeof FRAME_ERRORS;

export function frameError(code: FrameErrorCode, got: string) {
  return errorWith(code, FRAME_ERRORS[code], got);
}

/** An entry as a peer is told of it. */
export function errorWith<Code extends string>(code: Code, { message, hint }: ErrorEntry, got: string) {
  return { code, message: message.replace('%s', () => got), hint };
}
