import { AgentError } from '../agent-error.ts';

/** Sizes of an expert's networks: one actor and two critics with the same hidden layers. */
export interface ExpertShape {
  /** W, width of an observation as the simulator gives it. */
  readonly observationSize: number;
  /** A, dimensions of an action; each lies in [-1, 1]. */
  readonly actionSize: number;
  /** Widths of the hidden layers, at least one. */
  readonly hidden: readonly number[];
}

/** Weights that one optimiser moves together; each group is one vector, so that a step is a few operations on long arrays. */
export type WeightGroup = 'actor' | 'critics' | 'temperature';

/** One array inside a group's vector. */
export interface WeightPiece {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

/**
 * The pieces of a group in the order of its vector. The critics' group holds both critics, one behind the other; target critics
 * have the same layout. `temperature` is the logarithm of the temperature.
 * @throws AgentError L2M_CONFIG_INVALID for sizes that are not whole numbers >= 1
 */
export function groupLayout(group: WeightGroup, shape: ExpertShape): readonly WeightPiece[] {
  const { observationSize, actionSize, hidden } = shape;
  const sizes = [observationSize, actionSize, ...hidden];
  if (hidden.length === 0 || !sizes.every((size) => Number.isInteger(size) && size >= 1)) {
    throw new AgentError('L2M_CONFIG_INVALID', `an expert with the sizes ${JSON.stringify(shape)}`);
  }
  switch (group) {
    case 'actor':
      return placed(layersOf('actor', [observationSize, ...hidden, 2 * actionSize]));
    case 'critics': {
      const widths = [observationSize + actionSize, ...hidden, 1];
      return placed([...layersOf('critic1', widths), ...layersOf('critic2', widths)]);
    }
    case 'temperature':
      return placed([{ name: 'temperature.log', shape: [1] }]);
  }
}

/** Numbers in a group's vector. */
export function groupSize(group: WeightGroup, shape: ExpertShape): number {
  return groupLayout(group, shape).reduce((sum, { size }) => sum + size, 0);
}

type Unplaced = Pick<WeightPiece, 'name' | 'shape'>;

/** Weights [in, out] and biases [out] of linear layers between the given widths. */
function layersOf(network: string, widths: readonly number[]): Unplaced[] {
  return widths.slice(1).flatMap((width, layer) => [
    { name: `${network}.${layer}.weight`, shape: [widths[layer]!, width] },
    { name: `${network}.${layer}.bias`, shape: [width] },
  ]);
}

function placed(pieces: readonly Unplaced[]): WeightPiece[] {
  let offset = 0;
  return pieces.map((piece) => {
    const size = piece.shape.reduce((product, length) => product * length, 1);
    offset += size;
    return { ...piece, offset: offset - size, size };
  });
}
