import { existsSync } from 'node:fs';
import path from 'node:path';
import { missingPackages } from '../setup/node-modules.mjs';
import { paths } from '../setup/paths.mjs';
import { good, missing, type Finding } from './finding.ts';

/** Node, its packages and the page, as far as this process can see without starting another. */
export function setUpFindings(): readonly Finding[] {
  return [
    good('Node', `${process.versions.node} on ${process.platform} ${process.arch}`),
    packagesFinding(),
    pageFinding(),
  ];
}

function packagesFinding(): Finding {
  const absent = missingPackages(paths.root);
  if (absent.length === 0) return good('npm packages', 'as in package-lock.json');
  const first = absent.slice(0, 3).join(', ');
  return missing('npm packages', `${absent.length} are not as in package-lock.json (${first})`, 'Run `npm run setup`.');
}

function pageFinding(): Finding {
  const page = path.join(paths.root, 'dashboards/dist/index.html');
  if (existsSync(page)) return good('web page', 'built');
  return missing('web page', 'not built', 'Run `npm run setup`.');
}
