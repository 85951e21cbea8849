import { describe, expect, it } from 'vitest';
import { applyTensorEnvironment } from '../../../../server/tensors/environment.ts';

const options = { threadCount: 3, xla: true, precision: 'float32', gpu: true, graphCache: null } as const;

describe('environment of the tensor library', () => {
  it('sets threads and XLA, and shows what was set', () => {
    const environment: NodeJS.ProcessEnv = {};
    expect(applyTensorEnvironment(options, environment)).toEqual({ xla: true, precision: 'float32', graphCache: null });
    expect(environment).toMatchObject({
      TF_NUM_INTRAOP_THREADS: '3',
      OMP_NUM_THREADS: '3',
      TF_XLA_FLAGS: '--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit',
    });
    expect(environment).toMatchObject({ NVIDIA_TF32_OVERRIDE: '0' });
    expect(environment).not.toHaveProperty('ONEDNN_DEFAULT_FPMATH_MODE');
    expect(environment).not.toHaveProperty('CUDA_VISIBLE_DEVICES');
  });

  it('leaves out XLA, asks for bfloat16 and hides GPUs', () => {
    const environment: NodeJS.ProcessEnv = {};
    const state = applyTensorEnvironment({ ...options, xla: false, precision: 'bfloat16', gpu: false }, environment);
    expect(state).toEqual({ xla: false, precision: 'bfloat16', graphCache: null });
    expect(environment).toMatchObject({ CUDA_VISIBLE_DEVICES: '-1' });
    // Where there is AMX it would round the products that decide as well.
    expect(environment).not.toHaveProperty('ONEDNN_DEFAULT_FPMATH_MODE');
    expect(environment).not.toHaveProperty('TF_XLA_FLAGS');
    expect(environment).not.toHaveProperty('NVIDIA_TF32_OVERRIDE');
  });

  it('names the folder for compiled graphs', () => {
    const environment: NodeJS.ProcessEnv = {};
    expect(applyTensorEnvironment({ ...options, graphCache: '/cache/a' }, environment).graphCache).toBe('/cache/a');
    expect(environment['TF_XLA_FLAGS']).toContain('--tf_xla_persistent_cache_directory=/cache/a');
  });

  it('lets what a person has set win', () => {
    const environment: NodeJS.ProcessEnv = { TF_XLA_FLAGS: '--tf_xla_auto_jit=0', TF_NUM_INTRAOP_THREADS: '1' };
    expect(applyTensorEnvironment(options, environment).xla).toBe(false);
    expect(environment['TF_NUM_INTRAOP_THREADS']).toBe('1');
    expect(applyTensorEnvironment(options, { ONEDNN_DEFAULT_FPMATH_MODE: 'BF16' }).precision).toBe('bfloat16');
  });
});
