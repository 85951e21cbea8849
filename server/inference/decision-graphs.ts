import { isSearchedByGroup, votes, type PolicyConfig } from '../../agent/config.ts';
import { parameter, poolShapes, type ParameterRecord } from '../../agent/weights/names.ts';
import type { AttentionChoice } from '../../protocol/policy-messages.ts';
import type { CompileProgress } from '../tensors/compile.ts';
import type { CompiledLadder } from '../tensors/compile-ladder.ts';
import { compileDecision } from './decision-function.ts';
import { ExplanationGraph } from './explanation-graph.ts';
import type { ExplainedArrays, WindowArrays } from './host-messages.ts';

export interface DecidedArrays {
  readonly actionTokens: Int32Array; // [B, d]
  /** d, at least what was asked for. */
  readonly actionDimensions: number;
  readonly selected: Int32Array; // [B], -1 without a pool
  readonly keys: Int32Array; // [B] best key; `selected` where every key has a row of its own
  readonly asked: Int32Array; // [B] row that the window asked for; `selected` where steps do not vote
  readonly similarities: Float32Array; // [B]
}

type Output = 'actionTokens' | 'modulators' | 'keys' | 'asked' | 'similarity';

/**
 * The decisions of one model as compiled graphs: one ladder of batch sizes for each number of action dimensions, likeliest or drawn, made
 * when first needed. The model's weights are constants of the graphs, the pool can be exchanged between two decisions.
 */
export class DecisionGraphs {
  readonly #parameters: ParameterRecord;
  #pool: ParameterRecord;
  readonly #config: PolicyConfig;
  readonly #sizes: readonly number[];
  readonly #ladders = new Map<string, CompiledLadder<string, string>>();
  readonly #progress: (progress: CompileProgress) => void;
  #explanations: ExplanationGraph | undefined;

  /** @param parameters taken over: freed by `dispose` */
  constructor(
    parameters: ParameterRecord,
    config: PolicyConfig,
    options: { readonly maxBatch: number; readonly progress: (progress: CompileProgress) => void },
  ) {
    this.#pool = poolOf(parameters, config);
    this.#parameters = Object.fromEntries(
      Object.entries(parameters).filter(([name]) => !Object.hasOwn(this.#pool, name)),
    );
    this.#config = config;
    this.#sizes = ladderSizes(options.maxBatch);
    this.#progress = options.progress;
  }

  /**
   * Decides with another pool from now on, between two decisions and without compiling.
   * @param parameters taken over; weights of the model among them are not looked at, they have to be the same
   */
  exchangePool(parameters: ParameterRecord): void {
    const pool = poolOf(parameters, this.#config);
    for (const [name, tensor] of Object.entries(parameters)) if (pool[name] === undefined) tensor.dispose();
    for (const tensor of Object.values(this.#pool)) tensor.dispose();
    this.#pool = pool;
  }

  /** Compiles ahead for a number of action dimensions, and for drawn actions or not. */
  prepare(actionDimensions: number, drawn = false): void {
    this.#ladder(compiledDimensions(actionDimensions, this.#config.model.actionSize), drawn);
  }

  async decide(windows: WindowArrays): Promise<DecidedArrays> {
    const dimensions = compiledDimensions(windows.actionDimensions, this.#config.model.actionSize);
    const { chance } = windows;
    const outputs = this.#ladder(dimensions, chance !== undefined).run({
      states: windows.states,
      actionTokens: windows.actionTokens,
      returnsToGo: windows.returnsToGo,
      rewards: windows.rewards,
      timesteps: windows.timesteps,
      stepMask: windows.stepMask,
      ...(isSearchedByGroup(this.#config.modulation) ? { searchGroups: windows.searchGroups } : {}),
      ...(votes(this.#config.modulation) ? { heldRows: heldRowsOf(windows) } : {}),
      ...(chance === undefined ? {} : { chance }),
      ...this.#pool,
    });
    try {
      const read = async (name: Output) => await outputs[name]?.data();
      const [actionTokens, modulators, similarity] = await Promise.all([
        read('actionTokens'),
        read('modulators'),
        read('similarity'),
      ]);
      const [keys, asked] = await Promise.all([read('keys'), read('asked')]);
      const selected = (modulators as Int32Array | undefined) ?? new Int32Array(windows.count).fill(-1);
      return {
        actionTokens: actionTokens as Int32Array,
        actionDimensions: dimensions,
        selected,
        keys: (keys as Int32Array | undefined) ?? selected,
        asked: (asked as Int32Array | undefined) ?? selected,
        similarities: (similarity as Float32Array | undefined) ?? new Float32Array(windows.count),
      };
    } finally {
      for (const output of Object.values(outputs)) output.dispose();
    }
  }

  /** What lay behind a decision; deciding itself is left as it is. @throws L2M_SHAPE_MISMATCH */
  async explain(windows: WindowArrays, attention: AttentionChoice | null): Promise<ExplainedArrays> {
    const parameters = { ...this.#parameters, ...this.#pool };
    this.#explanations ??= new ExplanationGraph(parameters, this.#config);
    return this.#explanations.explain(parameters, windows, attention);
  }

  /** Frees the weights too. */
  dispose(): void {
    this.#explanations?.dispose();
    for (const ladder of this.#ladders.values()) ladder.dispose();
    this.#ladders.clear();
    for (const tensor of Object.values({ ...this.#parameters, ...this.#pool })) tensor.dispose();
  }

  #ladder(actionDimensions: number, drawn: boolean): CompiledLadder<string, string> {
    const key = `${actionDimensions} ${drawn}`;
    const known = this.#ladders.get(key);
    if (known !== undefined) return known;
    const options = { sizes: this.#sizes, actionDimensions, drawn, onProgress: this.#progress };
    const ladder = compileDecision(this.#parameters, this.#config, options);
    this.#ladders.set(key, ladder);
    return ladder;
  }
}

/** Nothing is held where nobody says so. */
function heldRowsOf({ count, heldRows }: WindowArrays): Int32Array {
  return heldRows ?? new Int32Array(count).fill(-1);
}

function poolOf(parameters: ParameterRecord, { model, modulation }: PolicyConfig): ParameterRecord {
  const names = Object.keys(poolShapes(model, modulation));
  return Object.fromEntries(names.map((name) => [name, parameter(parameters, name)] as const));
}

/** Graphs exist for 4 dimensions (Meta-World) and for all of them: each costs seconds to compile, a spare dimension microseconds. */
function compiledDimensions(wanted: number, actionSize: number): number {
  return wanted <= 4 && actionSize > 4 ? 4 : actionSize;
}

/**
 * A batch usually holds half of all environments (double buffering), at most all of them. Smaller ones, at the end of a run,
 * are filled up: each further size would cost seconds of compilation at the start.
 */
function ladderSizes(maxBatch: number): number[] {
  return [...new Set([1, Math.ceil(maxBatch / 2), maxBatch])].sort((a, b) => a - b);
}
