import type { Command } from 'commander';
import { Value } from 'typebox/value';
import { expandTasks } from '../../agent/tasks/expand-tasks.ts';
import { EvaluationProtocolSchema, type EvaluationProtocol } from '../../protocol/task.ts';
import { L2mError } from '../errors.ts';
import type { PolicyChoice, RunRequest } from '../rollouts/run-request.ts';
import type { RunStore } from '../store/run-store.ts';
import { defaultCheckpoint } from './default-checkpoint.ts';
import { numberList, oneOf, wholeNumber } from './option-values.ts';
import { EVALUATION_SEED } from '../rollouts/evaluation-seed.ts';

export interface EvaluationOptions extends Record<string, unknown> {
  readonly tasks: string;
  readonly episodes: number;
  readonly protocol: EvaluationProtocol;
  readonly seed: number;
  readonly policy: PolicyKind;
  readonly checkpoint?: string;
  readonly noise: readonly number[];
}

/** The options that say what is evaluated. */
export function addEvaluationOptions(command: Command, defaults: { tasks: string; episodes: number }): Command {
  return command
    .option('--tasks <list>', 'tasks and groups, separated by commas; see `l2m tasks`', defaults.tasks)
    .option('--episodes <number>', 'episodes of each task', wholeNumber(1, 100_000), defaults.episodes)
    .option(
      '--protocol <name>',
      'official-v3: 500 steps, 50 fixed goals; l2m-paper: 200 steps, random starts',
      oneOf<EvaluationProtocol>(['official-v3', 'l2m-paper']),
      'official-v3',
    )
    .option('--seed <number>', 'seed of the start states', wholeNumber(0, 0xffffffff), EVALUATION_SEED)
    .option('--policy <kind>', 'checkpoint, expert, random or zero', oneOf(POLICY_KINDS), 'checkpoint')
    .option('--checkpoint <folder>', 'the trained policy (default: the shipped one)')
    .option('--noise <list>', "deviations of the expert's action noise, used in turn", numberList(0, 2), [0]);
}

type PolicyKind = Exclude<PolicyChoice['kind'], 'learner'>;
const POLICY_KINDS: readonly PolicyKind[] = ['checkpoint', 'expert', 'random', 'zero'];

export interface ResumeContext {
  readonly store: RunStore;
  readonly resume: string | undefined;
  /** Whether an option was left out; left-out options are taken from the run that is resumed. */
  readonly isDefault: (name: string) => boolean;
}

/** What is to be run: from the options, or, when resuming, from the stored run unless an option says otherwise. */
export async function evaluationRequest(options: EvaluationOptions, context: ResumeContext): Promise<RunRequest> {
  const fromOptions: RunRequest = {
    kind: 'evaluate',
    tasks: expandTasks(options.tasks.split(',').map((name) => name.trim())),
    episodes: options.episodes,
    protocol: options.protocol,
    seed: options.seed,
    policy: policyChoice(options),
    firstStart: 0,
    horizon: null,
  };
  if (context.resume === undefined) return fromOptions;
  const stored = storedRequest(context.resume, (await context.store.getRun(context.resume)).configuration);
  const given = Object.entries(OPTIONS_OF).filter(([, names]) => names.some((name) => !context.isDefault(name)));
  return given.reduce((request, [key]) => ({ ...request, [key]: fromOptions[key as keyof RunRequest] }), stored);
}

const OPTIONS_OF = {
  tasks: ['tasks'],
  episodes: ['episodes'],
  protocol: ['protocol'],
  seed: ['seed'],
  policy: ['policy', 'checkpoint', 'noise'],
} as const;

function policyChoice(options: EvaluationOptions): PolicyChoice {
  switch (options.policy) {
    case 'checkpoint':
      return { kind: 'checkpoint', folder: options.checkpoint ?? defaultCheckpoint() };
    case 'expert':
      return { kind: 'expert', noises: options.noise };
    case 'random':
    case 'zero':
      return { kind: options.policy };
  }
}

function storedRequest(run: string, configuration: Readonly<Record<string, unknown>>): RunRequest {
  const { kind, protocol, tasks } = configuration;
  const usable = kind === 'evaluate' && Array.isArray(tasks) && Value.Check(EvaluationProtocolSchema, protocol);
  if (usable) return configuration as unknown as RunRequest;
  throw new L2mError('L2M_RUN_MISMATCH', `${run} is not an evaluation`);
}
