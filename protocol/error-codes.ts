import { FRAME_ERRORS, errorWith, type ErrorEntry, type ErrorSeverity } from './frame-errors.ts';

export type { ErrorSeverity } from './frame-errors.ts';

/** The one table of every error a peer, a caller of the HTTP API or a user of the command line can see. */
export const ERROR_TABLE = {
  ...FRAME_ERRORS,
  L2M_MESSAGE_UNEXPECTED: {
    severity: 'refused',
    message: 'The message is not allowed now: %s.',
    hint: 'A worker says hello first and acts only on environments assigned to it.',
  },
  L2M_VERSION_REFUSED: {
    severity: 'fatal',
    message: 'The peer speaks another version of the protocol: %s.',
    hint: 'Run the worker or the page from the same release as the server.',
  },
  L2M_TOKEN_REFUSED: {
    severity: 'refused',
    message: 'The token is missing or wrong: %s.',
    hint: 'Pass the token that the server was started with.',
  },
  L2M_TASK_UNKNOWN: {
    severity: 'refused',
    message: 'There is no task or group called %s.',
    hint: '`npx l2m tasks` lists every task and group.',
  },
  L2M_TASK_UNSUPPORTED: {
    severity: 'refused',
    message: 'The policy cannot control this task: %s.',
    hint: 'Choose another task, or a policy that covers its observations and actions.',
  },
  L2M_START_UNKNOWN: {
    severity: 'refused',
    message: 'There is no such start state: %s.',
    hint: 'official-v3 has 50 starts a task; l2m-paper has no limit.',
  },
  L2M_SIMULATOR_FAULT: {
    severity: 'retry',
    message: 'The simulator failed: %s.',
    hint: 'The episode is redone; a task that fails again and again is counted as an error, not as a failure of the policy.',
  },
  L2M_WORKER_LOST: {
    severity: 'retry',
    message: 'A simulator worker was lost: %s.',
    hint: 'It is replaced and its episodes are redone, as long as the restart budget lasts.',
  },
  L2M_WORKER_BUDGET: {
    severity: 'fatal',
    message: 'Workers failed too often: %s.',
    hint: 'Look at the worker log in the data directory; `npx l2m doctor` checks the simulators.',
  },
  L2M_AGENT_LOST: {
    severity: 'retry',
    message: 'The agent host stopped: %s.',
    hint: 'It is restarted and the model reloaded; `npx l2m doctor` checks the tensor backend.',
  },
  L2M_AGENT_BUDGET: {
    severity: 'fatal',
    message: 'The agent host failed too often: %s.',
    hint: 'Run with `--backend wasm` to rule out the native backend, and look at the server log.',
  },
  L2M_BACKEND_UNAVAILABLE: {
    severity: 'fatal',
    message: 'The tensor backend cannot be used: %s.',
    hint: '`npx l2m doctor` says what is missing.',
  },
  L2M_SHAPE_MISMATCH: {
    severity: 'fatal',
    message: 'A tensor has the wrong shape: %s.',
    hint: 'Check that model, pool and configuration come from one checkpoint.',
  },
  L2M_CAPTURE_REFUSED: {
    severity: 'fatal',
    message: 'The function cannot be captured as a graph: %s.',
    hint: 'Use only tensor operations inside it, and pass what changes between calls as inputs.',
  },
  L2M_GRAPH_FAILED: {
    severity: 'fatal',
    message: 'A captured graph failed: %s.',
    hint: 'Run the same with capture off to see the operation that fails.',
  },
  L2M_CHECKPOINT_INVALID: {
    severity: 'fatal',
    message: 'The checkpoint cannot be used: %s.',
    hint: 'A checkpoint is a folder with manifest.json, model.safetensors and pool.safetensors.',
  },
  L2M_DATA_INVALID: {
    severity: 'fatal',
    message: 'The data file cannot be used: %s.',
    hint: 'Collect it again with `npx l2m collect`.',
  },
  L2M_CONFIG_INVALID: {
    severity: 'refused',
    message: 'The configuration is not valid: %s.',
    hint: '`npx l2m --help` lists every option with its default.',
  },
  L2M_STORE_UNWRITABLE: {
    severity: 'fatal',
    message: 'The data directory cannot be written: %s.',
    hint: 'Free space or choose another place with --data.',
  },
  L2M_STORE_BUSY: {
    severity: 'fatal',
    message: 'Another server already uses this data directory: %s.',
    hint: 'Stop it, or choose another place with --data.',
  },
  L2M_RUN_UNKNOWN: {
    severity: 'refused',
    message: 'There is no run called %s.',
    hint: '`npx l2m runs` lists the runs in the data directory.',
  },
  L2M_RUN_MISMATCH: {
    severity: 'refused',
    message: 'The run cannot be resumed: %s.',
    hint: 'Resume with the same checkpoint, tasks and protocol, or start a new run.',
  },
  L2M_ADDRESS_UNSAFE: {
    severity: 'fatal',
    message: 'Listening beyond this machine needs keys and tokens: %s.',
    hint: 'Give --curve-keys and --tokens, or bind to 127.0.0.1.',
  },
  L2M_STORE_UNREADABLE: {
    severity: 'fatal',
    message: 'The data directory cannot be read: %s.',
    hint: 'It is damaged or was written by a newer release: choose another place with --data, or move its l2m.duckdb away.',
  },
  L2M_RUN_STATE: {
    severity: 'refused',
    message: 'The run does not allow this now: %s.',
    hint: 'Only a running run can be paused, only a paused one resumed, and a finished one cannot be stopped.',
  },
  L2M_REQUEST_INVALID: {
    severity: 'refused',
    message: 'The request is not valid: %s.',
    hint: 'The page /docs describes every route with its parameters.',
  },
  L2M_ROUTE_UNKNOWN: {
    severity: 'refused',
    message: 'There is nothing at %s.',
    hint: 'The page /docs lists every route.',
  },
  L2M_CONTROL_HELD: {
    severity: 'refused',
    message: 'Another page is in control: %s.',
    hint: 'Request control and wait until it is granted, or steal it once the controller has been silent for 30 s.',
  },
  L2M_CONTROL_NEEDED: {
    severity: 'refused',
    message: 'Only the page in control may do this: %s.',
    hint: 'Request control first.',
  },
  L2M_ENVIRONMENT_UNKNOWN: {
    severity: 'refused',
    message: 'No episode runs in this environment: %s.',
    hint: 'Choose one of the environments that the page shows; those of a lost worker are gone.',
  },
  L2M_CONTROL_UNSUITED: {
    severity: 'refused',
    message: 'A person cannot do this here: %s.',
    hint: 'Steering and dragging are for evaluations; send as many numbers as the task has action dimensions, and bodies of its scene.',
  },
  L2M_ROLE_INSUFFICIENT: {
    severity: 'refused',
    message: 'The token does not allow this: %s.',
    hint: 'Use a token of a higher role (viewer < operator < admin).',
  },
  L2M_ORIGIN_REFUSED: {
    severity: 'refused',
    message: 'Requests from this place are not accepted: %s.',
    hint: 'Open the page under the address that the server printed at start; other sites may not act through a browser.',
  },
  L2M_ADDRESS_UNAVAILABLE: {
    severity: 'fatal',
    message: 'The server cannot listen there: %s.',
    hint: 'Choose another --port or --host, or stop the program that uses it.',
  },
  L2M_RECORDING_UNKNOWN: {
    severity: 'refused',
    message: 'There is no recording %s.',
    hint: 'Recordings are listed under /api/runs/RUN/recordings; the oldest go when --record-limit-mb is reached.',
  },
  L2M_RECORDING_INVALID: {
    severity: 'refused',
    message: 'The file is not a recording of this project: %s.',
    hint: 'Fetch it again from the server that recorded it.',
  },
  L2M_REPLAY_DIFFERENT: {
    severity: 'refused',
    message: 'Simulated again, the episode comes out otherwise: %s.',
    hint: 'Nothing was changed. It was recorded with other simulators or on another machine; “l2m replay” shows the difference.',
  },
  L2M_REPLAYS_WAITING: {
    severity: 'retry',
    message: 'Already %s episodes wait to be simulated again.',
    hint: 'Try again in a minute.',
  },
  L2M_SCENE_UNKNOWN: {
    severity: 'retry',
    message: 'There is no scene %s.',
    hint: 'Scenes come from simulator workers: it appears once a worker has started an episode with it.',
  },
  L2M_VIEWER_SLOW: {
    severity: 'retry',
    message: 'The page fell too far behind: %s.',
    hint: 'It reconnects and receives the present state afresh.',
  },
  L2M_INTERNAL: {
    severity: 'fatal',
    message: 'Something went wrong inside the server (%s).',
    hint: 'Find the correlation id in the server log and report it.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** What a peer is told about a failure. Never holds a traceback. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** Fills the table's message with what was got. */
export function wireError(code: ErrorCode, got: string): WireError {
  return errorWith(code, ERROR_TABLE[code], got);
}

export function severityOf(code: ErrorCode): ErrorSeverity {
  return ERROR_TABLE[code].severity;
}
