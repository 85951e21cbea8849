import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { TaskSpecSchema, type TaskSpec } from '../../protocol/task.ts';
import type { EpisodeSizes } from './episode.ts';

/** Kept in the metadata; a reader refuses any other. */
export const TRAJECTORY_FORMAT = 'l2m-trajectories/1';

const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);

/** Where episodes come from. */
export const ProvenanceSchema = Type.Object(
  {
    /** What makes episodes belong together (protocol, seed, horizon, acting policy): appending with another identity is refused. */
    identity: Type.Record(Type.String(), Type.Union([Scalar, Type.Array(Scalar)])),
    /** What is merely worth knowing (command, versions, dates); the latest writer's is kept. */
    notes: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);
export type Provenance = Static<typeof ProvenanceSchema>;

/** What a trajectory file says of itself, beside its tensors. */
export const TrajectoryHeadSchema = Type.Object(
  {
    task: TaskSpecSchema.properties.task,
    /** Who acted, also the file's name: `expert`, a checkpoint's name. */
    source: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$' }),
    spec: TaskSpecSchema,
    provenance: ProvenanceSchema,
  },
  { additionalProperties: false },
);
export type TrajectoryHead = Static<typeof TrajectoryHeadSchema>;

export const trajectoryHeadValidator = Compile(TrajectoryHeadSchema);

export function sizesOf(spec: TaskSpec): EpisodeSizes {
  return {
    observationSize: spec.observation.reduce((sum, part) => sum + part.size, 0),
    actionSize: spec.actionSize,
  };
}

export function metadataFromHead(head: TrajectoryHead): Record<string, string> {
  return {
    format: TRAJECTORY_FORMAT,
    task: head.task,
    source: head.source,
    spec: JSON.stringify(head.spec),
    provenance: JSON.stringify(head.provenance),
  };
}

/** The head in a file's metadata, or a sentence saying what is wrong with it. */
export function headFromMetadata(metadata: Readonly<Record<string, string>>): TrajectoryHead | string {
  const { format, task, source } = metadata;
  if (format !== TRAJECTORY_FORMAT) return `format ${JSON.stringify(format)} instead of ${TRAJECTORY_FORMAT}`;
  try {
    const spec: unknown = JSON.parse(metadata['spec'] ?? 'null');
    const provenance: unknown = JSON.parse(metadata['provenance'] ?? 'null');
    return checkedHead({ task, source, spec, provenance });
  } catch {
    return 'spec or provenance that are not JSON';
  }
}

/** The value as a head, or a sentence saying what is wrong with it. */
export function checkedHead(value: unknown): TrajectoryHead | string {
  if (trajectoryHeadValidator.Check(value)) return value;
  const [first] = trajectoryHeadValidator.Errors(value);
  return first === undefined ? 'an invalid description' : `${first.instancePath || 'the description'} ${first.message}`;
}

/**
 * What keeps two writers from adding to one file: names of the parts that differ, such as `seed`; none if they may. Compares content, not the
 * order of keys.
 */
export function differingIdentity(one: TrajectoryHead, other: TrajectoryHead): string[] {
  const [first, second] = [identityParts(one), identityParts(other)];
  const names = new Set([...first.keys(), ...second.keys()]);
  return [...names].filter((name) => first.get(name) !== second.get(name));
}

function identityParts({ task, source, spec, provenance }: TrajectoryHead): Map<string, string> {
  const parts = {
    ...provenance.identity,
    ...{ task, source, actions: spec.actionSize, observations: spec.observation.map(({ name, size }) => [name, size]) },
  };
  return new Map(Object.entries(parts).map(([name, value]) => [name, JSON.stringify(value)] as const));
}

/** What to do where a file belongs to other episodes, in words. */
export function goOnHint({ provenance }: TrajectoryHead): string {
  const { command } = provenance.notes;
  const known = typeof command === 'string' && command !== '';
  const repeated = known ? `It was begun by \`npx l2m ${command}\`: repeat that to go on, or c` : 'C';
  return `${repeated}hoose another source name, or overwrite the source.`;
}
