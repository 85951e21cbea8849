import type { ControlRequest } from '../../protocol/control-messages.ts';
import type { PageEvent } from '../../protocol/dashboard-messages.ts';
import type { WireError } from '../../protocol/error-codes.ts';
import type { Result } from '../../protocol/result.ts';
import type { PageRole } from './page-access.ts';

/** A page as far as control is concerned. */
export interface ControllingPage {
  /** Never used twice in one life of the server. */
  readonly id: number;
  readonly role: PageRole;
  send(event: PageEvent): void;
}

/** Whoever lets pages control simulations (`server/control`). */
export interface PageControl {
  /** The page has been told everything else. */
  opened(page: ControllingPage): void;
  closed(page: ControllingPage): void;
  /** A failure is shown to that page. */
  requested(page: ControllingPage, request: ControlRequest): Result<void, WireError> | Promise<Result<void, WireError>>;
}
