import { findChromium, findCompiler } from './find-tools.mjs';
import { paths } from './paths.mjs';
import { choosePython, pythonVenv } from './python-environment.mjs';
import { plan } from './plan.mjs';
import { isFresh } from './stage.mjs';
import { chooseTensorflow } from './tensorflow-wheel.mjs';

/** What `l2m doctor` says before its own packages are installed: whether set-up has what it needs, and how far it came. */
export async function firstAid() {
  const python = await choosePython().then(
    ({ executable, version }) => `ok    Python ${version} (${executable})`,
    (error) => `MISS  Python: ${error.message}\n      -> ${pythonVenv.advice}`,
  );
  const tensorflow = chooseTensorflow();
  const lines = [
    `ok    Node ${process.versions.node} on ${process.platform} ${process.arch}`,
    python,
    findCompiler() === undefined
      ? `warn  C++ compiler: none\n      -> ${tensorflow.reason ?? ''}; without, tensors run on WebAssembly`
      : `ok    C++ compiler ${findCompiler()}`,
    `ok    TensorFlow: ${tensorflow.kind === 'none' ? `WebAssembly, because ${tensorflow.reason}` : `native, ${tensorflow.kind}`}`,
    findChromium() === undefined
      ? 'warn  Chromium: none\n      -> only the browser tests need it'
      : `ok    Chromium ${findChromium()}`,
    ...plan.map(({ stage }) => `${isFresh(stage) ? 'ok    set up' : 'MISS  not set up'}: ${stage.name}`),
    '',
    `${paths.root} is not set up yet: run \`npm start\`, or \`npm run setup\` to set up only.`,
  ];
  console.log(lines.join('\n'));
  return 1;
}
