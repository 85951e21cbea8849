/** What the tensor library reads from the environment while it loads; afterwards a change has no effect. */
export interface TensorEnvironmentOptions {
  /** Threads inside one operation. */
  readonly threadCount: number;
  /** Compile captured graphs with XLA. */
  readonly xla: boolean;
  /** `bfloat16`: large products of recorded graphs are rewritten (`bfloat16-products.ts`); all else stays float32. */
  readonly precision: Precision;
  /** False hides the GPUs from TensorFlow. */
  readonly gpu: boolean;
  /** Folder for what XLA compiled. */
  readonly graphCache: string | null;
}

export type Precision = 'float32' | 'bfloat16';

/**
 * Sets what is not set yet, so that a person's own environment wins. oneDNN's own mode (`ONEDNN_DEFAULT_FPMATH_MODE`) is left to that person: where
 * a processor has AMX it rounds every product, also those that decide and have to keep their digits.
 *
 * @returns whether XLA will compile graphs on the CPU, where it keeps them, and the precision of products
 */
export function applyTensorEnvironment(
  options: TensorEnvironmentOptions,
  environment: NodeJS.ProcessEnv = process.env,
): { xla: boolean; precision: Precision; graphCache: string | null } {
  for (const [name, value] of Object.entries(tensorEnvironment(options))) environment[name] ??= value;
  const xlaFlags = environment['TF_XLA_FLAGS'] ?? '';
  return {
    xla: xlaFlags.includes('tf_xla_auto_jit=2') && xlaFlags.includes('tf_xla_cpu_global_jit'),
    graphCache: /--tf_xla_persistent_cache_directory=(\S+)/.exec(xlaFlags)?.[1] ?? null,
    precision: environment['ONEDNN_DEFAULT_FPMATH_MODE'] === 'BF16' ? 'bfloat16' : options.precision,
  };
}

function tensorEnvironment(options: TensorEnvironmentOptions): Record<string, string> {
  const threads = String(options.threadCount);
  const xlaFlags = ['--tf_xla_auto_jit=2', '--tf_xla_cpu_global_jit'];
  if (options.graphCache !== null) {
    // A graph is found again by its name, which is otherwise counted in the order of compilation.
    xlaFlags.push('--tf_xla_deterministic_cluster_names', `--tf_xla_persistent_cache_directory=${options.graphCache}`);
  }
  return {
    // Loading a cached graph logs errors about features of the processor that it does not use; real ones are thrown.
    TF_CPP_MIN_LOG_LEVEL: '3',
    TF_NUM_INTRAOP_THREADS: threads,
    // Operations of one graph form a chain here: a second operation at the same time would only fight for the same cores.
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: threads,
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    // Tensor cores would otherwise round float32 products to ten bits of mantissa: float32 has to mean the same on every device.
    ...(options.precision === 'float32' ? { NVIDIA_TF32_OVERRIDE: '0' } : {}),
    ...(options.xla ? { TF_XLA_FLAGS: xlaFlags.join(' ') } : {}),
    ...(options.gpu ? {} : { CUDA_VISIBLE_DEVICES: '-1' }),
  };
}
