/**
 * Every limit on bytes that come from a peer, checked before anything is allocated for them.
 * The Python twin reads the same numbers from the generated JSON Schema file (`x-l2m-limits`).
 */
export const WIRE_LIMITS = {
  headerBytes: 64 * 1024,
  headerDepth: 8,
  headerItems: 8192,
  /** For what the server sends to a page: a snapshot lists up to 1024 environments and many runs. */
  pageHeaderBytes: 2 * 1024 * 1024,
  pageHeaderItems: 128 * 1024,
  tensorRank: 4,
  tensorCount: 16,
  frameCount: 18,
  messageBytes: 64 * 1024 * 1024,
  environmentsPerWorker: 256,
  environmentsPerPage: 1024,
  observationSize: 512,
  actionSize: 64,
  nameLength: 128,
  textLength: 4096,
  /** A controller that says nothing for so long can be replaced; what it had set is lifted if nobody follows it for so long. */
  controlSilenceMs: 30_000,
  /** Pages that wait for the seat of the controller. */
  controlWaiting: 16,
  /** Without a word from the person who steers, the robot is let go, and later handed back to its policy. */
  teleoperationHoldMs: 250,
  teleoperationHandBackMs: 3000,
  /** A body is let go if the page that drags it says nothing for so long. */
  dragHoldMs: 250,
  slowestSpeed: 0.1,
  fastestSpeed: 100,
} as const;
