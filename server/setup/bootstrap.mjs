/**
 * `node server/setup/bootstrap.mjs [start|test] [--again]`: everything a fresh clone needs, each part once.
 * This file must be readable by any Node that knows modules: it is what says that Node is too old.
 */
const oldest = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  console.error(
    'l2m needs Node ' +
      oldest.join('.') +
      ' or later and this is ' +
      process.versions.node +
      ': install one from https://nodejs.org or with nvm.',
  );
  process.exit(1);
}

const { setUp } = await import('./set-up.mjs');
const args = process.argv.slice(2);
const unknown = args.find((word) => !['start', 'test', '--again'].includes(word));
if (unknown !== undefined) {
  console.error(`l2m set-up does not know '${unknown}': use start or test, and --again to redo every part.`);
  process.exit(2);
}
process.exitCode = await setUp({ purpose: args.includes('test') ? 'test' : 'start', again: args.includes('--again') });
