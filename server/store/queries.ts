/** Timestamps leave the database as ISO 8601 text in UTC. */
function isoTime(column: string): string {
  return `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%gZ')`;
}

const SCORED_COLUMNS = `
  task, start_index AS start, attempt, outcome, length, total_return AS "return",
  success_at_end AS "successAtEnd", first_success_step AS "firstSuccessStep",
  coalesce(assisted_steps, 0)::INTEGER AS "assistedSteps"`;

const EPISODE_COLUMNS = `${SCORED_COLUMNS},
  error_code AS "errorCode", error_message AS "errorMessage", similarity_mean AS "similarityMean",
  wall_seconds AS "wallSeconds", worker, policy_version AS "policyVersion", ${isoTime('finished_at')} AS "finishedAt"`;

const HEAD_COLUMNS = `
  r.run, kind, state, policy, protocol, seed, planned_episodes AS "plannedEpisodes",
  coalesce(finished, 0)::INTEGER AS "finishedEpisodes", coalesce(errors, 0)::INTEGER AS "errorEpisodes",
  coalesce(assisted, 0)::INTEGER AS "assistedEpisodes",
  coalesce(judged, 0)::INTEGER AS "judgedEpisodes", coalesce(any_time, 0)::INTEGER AS "successesAnyTime",
  coalesce(at_end, 0)::INTEGER AS "successesAtEnd",
  redone_episodes AS "redoneEpisodes", message,
  ${isoTime('started_at')} AS "startedAt", ${isoTime('finished_at')} AS "finishedAt"`;

/** Counts of runs given by a subquery named `chosen`: the latest attempt at each start state decides. */
const COUNTS = `
  SELECT run, count(*) FILTER (last.outcome <> 'error' AND NOT last.assisted) AS finished,
    count(*) FILTER (last.outcome = 'error') AS errors,
    count(*) FILTER (last.outcome <> 'error' AND last.assisted) AS assisted,
    count(*) FILTER (last.at_end IS NOT NULL AND NOT last.assisted) AS judged,
    count(*) FILTER (last.any_time AND NOT last.assisted) AS any_time,
    count(*) FILTER (last.at_end AND NOT last.assisted) AS at_end
  FROM (SELECT run, arg_max({outcome: outcome, any_time: success_any_time, at_end: success_at_end,
          assisted: coalesce(assisted_steps, 0) > 0}, attempt) AS last
        FROM episodes WHERE run IN (SELECT run FROM chosen) GROUP BY run, task, start_index)
  GROUP BY run`;

/** What runs can be sorted by; those above the line are columns of the table itself, and only a page of it is counted. */
const RUN_COLUMNS = { started: 'r.started_at', policy: 'lower(r.policy)', kind: 'r.kind', state: 'r.state' } as const;
const COUNTED_COLUMNS = {
  episodes: 'finished',
  successAnyTime: 'any_time / nullif(judged, 0)',
  successAtEnd: 'at_end / nullif(judged, 0)',
} as const;

export type RunSort = keyof typeof RUN_COLUMNS | keyof typeof COUNTED_COLUMNS;

/** Tasks are kept as text with the run, so that a run is found by the name of a task as well. */
const MATCHED = `
  SELECT * FROM runs r WHERE ($kind IS NULL OR kind = $kind) AND ($state IS NULL OR state = $state) AND ($text IS NULL
    OR contains(lower(concat_ws(' ', run, policy, kind, state, protocol, tasks)), lower($text)))`;

export const COUNT_RUNS = `SELECT count(*)::INTEGER AS total FROM (${MATCHED})`;

export function listRunsBy(sort: RunSort, order: 'ascending' | 'descending'): string {
  const expression = { ...RUN_COLUMNS, ...COUNTED_COLUMNS }[sort];
  const ordered = `ORDER BY ${expression} ${order === 'ascending' ? 'ASC' : 'DESC'} NULLS LAST, r.started_at DESC, r.run DESC`;
  const page = 'LIMIT $limit OFFSET $offset';
  const [inner, outer] = sort in RUN_COLUMNS ? [`${ordered} ${page}`, ''] : ['', page];
  return `
  WITH chosen AS (${MATCHED} ${inner})
  SELECT ${HEAD_COLUMNS} FROM chosen r LEFT JOIN (${COUNTS}) c ON c.run = r.run
  ${ordered} ${outer}`;
}

export const GET_RUN = `
  WITH chosen AS (SELECT * FROM runs WHERE run = $run)
  SELECT ${HEAD_COLUMNS}, checkpoint_hash AS "checkpointHash", tasks, configuration, provenance
  FROM chosen r LEFT JOIN (${COUNTS}) c ON c.run = r.run`;

const EPISODE_FILTER = 'run = $run AND ($task IS NULL OR task = $task) AND ($outcome IS NULL OR outcome = $outcome)';

export const COUNT_EPISODES = `SELECT count(*)::INTEGER AS total FROM episodes WHERE ${EPISODE_FILTER}`;

export const LIST_EPISODES = `
  SELECT ${EPISODE_COLUMNS} FROM episodes WHERE ${EPISODE_FILTER}
  ORDER BY task, start_index, attempt LIMIT $limit OFFSET $offset`;

export const LATEST_EPISODES = `
  SELECT ${SCORED_COLUMNS} FROM episodes WHERE run = $run
  QUALIFY row_number() OVER (PARTITION BY task, start_index ORDER BY attempt DESC) = 1
  ORDER BY task, start_index`;

/** Means of at most `$most` equal stretches of each curve, and its newest point as it is: a chart has no more pixels. */
export const THINNED_METRICS = `
  WITH placed AS (
    SELECT step, name, value, row_number() OVER curve - 1 AS place, count(*) OVER (PARTITION BY name) AS points
    FROM metrics WHERE run = $run AND ($name IS NULL OR name = $name)
    WINDOW curve AS (PARTITION BY name ORDER BY step))
  SELECT max(step)::INTEGER AS step, name, avg(value) AS value FROM placed
  GROUP BY name, place = points - 1, place * least($most, points) // points
  ORDER BY name, step`;

export const INSERT_RUN = `
  INSERT INTO runs VALUES ($run, $kind, $state, $policy, $checkpointHash, $protocol, $seed, $tasks, $plannedEpisodes, 0,
    $configuration, $provenance, '', $startedAt::TIMESTAMP, NULL)`;

export const UPDATE_RUN = `
  UPDATE runs SET
    state = coalesce($state, state),
    message = coalesce($message, message),
    redone_episodes = coalesce($redoneEpisodes, redone_episodes),
    tasks = coalesce($tasks, tasks),
    planned_episodes = coalesce($plannedEpisodes, planned_episodes),
    finished_at = CASE WHEN $state IS NULL THEN finished_at ELSE $finishedAt::TIMESTAMP END
  WHERE run = $run`;

/** Runs whose server ended before they did. */
export const RECOVER_RUNS = `
  UPDATE runs SET state = 'stopped',
    message = 'The server ended before the run did; continue it with --resume ' || run,
    finished_at = coalesce((SELECT max(finished_at) FROM episodes WHERE episodes.run = runs.run), started_at)
  WHERE state NOT IN ('finished', 'stopped', 'failed')`;

/** Every attempt with the name of the run's policy and protocol beside it, so that files of several runs can be joined. */
const EXPORT_COLUMNS = `
  e.run, r.policy, r.protocol, r.seed, e.task, e.start_index AS start, e.attempt, e.outcome, e.error_code, e.error_message,
  e.length, e.total_return AS "return", e.success_any_time, e.success_at_end, e.first_success_step, e.similarity_mean,
  e.wall_seconds, e.worker, e.policy_version, e.finished_at, coalesce(e.assisted_steps, 0) AS assisted_steps`;

const EXPORT_SOURCE =
  'FROM episodes e JOIN runs r ON r.run = e.run WHERE e.run = $run ORDER BY e.task, e.start_index, e.attempt';

export const EXPORT_PARQUET = `
  COPY (SELECT ${EXPORT_COLUMNS}, e.successes, e.selections ${EXPORT_SOURCE})
  TO $path (FORMAT parquet, COMPRESSION zstd)`;

export const EXPORT_CSV = `COPY (SELECT ${EXPORT_COLUMNS} ${EXPORT_SOURCE}) TO $path (FORMAT csv, HEADER true)`;
