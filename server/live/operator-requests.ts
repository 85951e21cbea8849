import type { PageRequest } from '../../protocol/dashboard-messages.ts';
import type { ControlRequest } from '../../protocol/control-messages.ts';
import { wireError, type WireError } from '../../protocol/error-codes.ts';
import { failure, type Result } from '../../protocol/result.ts';
import type { PageControl } from './page-control.ts';
import type { PageSession } from './page-session.ts';

export type RunAction = Extract<PageRequest, { type: 'control' }>['action'];

type Outcome = Result<void, WireError>;

export interface OperatorRequestsOptions {
  readonly onControl: (run: string, action: RunAction) => Outcome | Promise<Outcome>;
  readonly hands: PageControl | undefined;
  /** Tells one page alone why nothing came of what it asked for. */
  readonly refused: (session: PageSession, text: string) => void;
}

/** What operators ask of runs and simulations. Viewers are told that they may not; the server never waits for what was asked. */
export class OperatorRequests {
  readonly #options: OperatorRequestsOptions;

  constructor(options: OperatorRequestsOptions) {
    this.#options = options;
  }

  run(session: PageSession, { run, action }: { readonly run: string; readonly action: RunAction }): void {
    this.#answer(session, `Cannot ${action} ${run}`, () => this.#options.onControl(run, action));
  }

  simulation(session: PageSession, request: ControlRequest): void {
    const nothing = failure(wireError('L2M_CONTROL_UNSUITED', 'nothing is simulated here'));
    const act = () => this.#options.hands?.requested(session, request) ?? nothing;
    this.#answer(session, `Cannot ${wordsOf(request)}`, act);
  }

  #answer(session: PageSession, what: string, act: () => Outcome | Promise<Outcome>): void {
    const refuse = (error: WireError): void =>
      this.#options.refused(session, `${what}: ${error.message} ${error.hint}`);
    if (session.role !== 'operator') {
      refuse(wireError('L2M_ROLE_INSUFFICIENT', 'this page has the role viewer, operator is needed'));
      return;
    }
    Promise.resolve(act()).then(
      (result) => {
        if (!result.ok) refuse(result.error);
      },
      (error: unknown) => {
        refuse(wireError('L2M_INTERNAL', error instanceof Error ? error.name : 'unknown'));
      },
    );
  }
}

function wordsOf(request: ControlRequest): string {
  switch (request.type) {
    case 'control-seat':
      return `${request.action} control`;
    case 'control-simulation': {
      const { target, command } = request;
      return `${command.kind} ${target.kind === 'run' ? target.run : target.key}`;
    }
    case 'teleoperate':
      return `steer ${request.key}`;
    case 'drag':
      return `drag in ${request.key}`;
  }
}
