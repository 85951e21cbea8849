import { dashboardBuild } from './dashboard-build.mjs';
import { nativeTensorflow } from './native-tensorflow.mjs';
import { nodeModules } from './node-modules.mjs';
import { pythonPackages, pythonVenv } from './python-environment.mjs';

/** Stages and what each waits for; the rest runs side by side. */
export const plan = [
  { stage: nodeModules, after: [] },
  { stage: pythonVenv, after: [] },
  { stage: pythonPackages, after: [pythonVenv] },
  { stage: nativeTensorflow, after: [nodeModules, pythonVenv] },
  { stage: dashboardBuild, after: [nodeModules] },
];
