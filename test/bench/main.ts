/** `npm run bench -- NAME [options]`: runs one benchmark; without a name, lists them. */
const BENCHMARKS: Readonly<Record<string, { readonly file: string; readonly what: string }>> = {
  step: { file: './step.bench.ts', what: 'simulators alone, through the server with a no-op policy, and with a model' },
  decide: { file: './decide.bench.ts', what: 'decisions, against PyTorch' },
  update: { file: './update.bench.ts', what: 'training updates, against PyTorch' },
  pretrain: { file: './pretrain.bench.ts', what: 'a whole pre-training from real trajectories, against PyTorch' },
  modulators: { file: './modulators.bench.ts', what: 'a batch with several modulators: gathered, grouped, or masked' },
  sac: { file: './sac.bench.ts', what: 'one update of soft actor-critic, ours against PyTorch' },
  viewers: {
    file: './viewers.bench.ts',
    what: 'rollouts with 0, 10 and 50 viewers, memory, pictures a second of the grid',
  },
  continual: { file: './continual.bench.ts', what: 'tables of the continual trainings kept in test/bench/continual' },
  capture: { file: './capture.bench.ts', what: 'eager operations against captured graphs' },
};

const [name = '', ...rest] = process.argv.slice(2);
const chosen = BENCHMARKS[name];
if (chosen === undefined) {
  const lines = Object.entries(BENCHMARKS).map(([each, { what }]) => `  ${each.padEnd(10)} ${what}`);
  process.stderr.write(`usage: npm run bench -- NAME\n${lines.join('\n')}\n`);
  process.exit(2);
}
process.argv.splice(2, process.argv.length, ...rest);
await import(chosen.file);
