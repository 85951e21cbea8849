/** The last line of `.ci/run`: the tallies named as arguments, added up. */
import { closingLine, readTally, sumTallies } from './tally.mjs';

const sum = sumTallies(process.argv.slice(2).map(readTally));
console.log(closingLine(sum));
process.exitCode = sum.failed > 0 ? 1 : 0;
