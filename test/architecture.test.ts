import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../protocol/error-codes.ts';
import {
  ROOT,
  filesBelow,
  findCycle,
  packageOf,
  parseSource,
  readSources,
  targetOf,
  type SourceFile,
} from './support/source-graph.ts';

const ROOMS = ['protocol', 'agent', 'server', 'sim-bridge', 'dashboards', 'test'] as const;
type Room = (typeof ROOMS)[number];

/** Files of other rooms that a room may import, and packages; `undefined` means any package. */
interface Rule {
  readonly ours: RegExp;
  readonly packages: RegExp | undefined;
  readonly why: string;
}

const RULES: Readonly<Record<Exclude<Room, 'sim-bridge' | 'test'>, Rule>> = {
  protocol: {
    ours: /^protocol\//,
    packages: /^(typebox|msgpackr)$/,
    why: 'protocol runs in the browser too and knows nothing of the rest',
  },
  agent: {
    ours: /^(agent\/|protocol\/(task|space|result|error-codes)\.ts$)/,
    packages: /^(@tensorflow\/tfjs-core|fastest-levenshtein)$/,
    why: 'agent is pure mathematics',
  },
  server: {
    ours: /^(server|agent|protocol)\//,
    packages: undefined,
    why: 'server needs neither the page nor the tests',
  },
  dashboards: {
    ours: /^(dashboards|protocol)\//,
    packages: /^(?!node:|fastify|ws$|zeromq$|@tensorflow\/|@duckdb\/|pino)/,
    why: 'the page runs in a browser and reaches the server by messages alone',
  },
};

/** A package that only one place may import. */
const HOMES: Readonly<Record<string, RegExp>> = {
  '@tensorflow/tfjs-core': /^(agent\/ops\.ts$|server\/|test\/)/,
  '@tensorflow/tfjs-node-gpu': /^(server\/(tensors|setup)\/|test\/)/,
  '@tensorflow/tfjs-backend-wasm': /^(server\/tensors\/|test\/)/,
  '@tensorflow/tfjs-backend-cpu': /^(server\/tensors\/|test\/)/,
  zeromq: /^(server|test)\//,
  '@duckdb/node-api': /^(server\/store\/|test\/)/,
};

const CONFIGURATION = /(\.config\.(ts|js|mjs)|\.d\.ts)$/;
const ROOT_FILES = [
  '.ci', '.editorconfig', '.gitattributes', '.gitignore', '.npmrc', '.prettierignore', 'ARCHITECTURE.md', 'CHANGELOG.md', 'LICENSE',
  'README.md', 'eslint.config.js', 'knip.json', 'package-lock.json', 'package.json', 'prettier.config.mjs', 'tsconfig.json',
  'vitest.config.ts', ...ROOMS,
]; // prettier-ignore

const sources = (['protocol', 'agent', 'server', 'dashboards', 'test'] as const).flatMap(readSources);
const roomOf = (file: string) => file.slice(0, file.indexOf('/'));

function importsBreaking(source: SourceFile, rule: Rule): readonly string[] {
  return source.imports.flatMap(({ specifier, line }) => {
    const target = targetOf(source.file, specifier);
    const allowed = target === undefined ? (rule.packages?.test(packageOf(specifier)) ?? true) : rule.ours.test(target);
    return allowed ? [] : [`${source.file}:${line} -> ${target ?? specifier} (${rule.why})`];
  });
}

describe('imports', () => {
  it.each(Object.entries(RULES))('of %s stay within what it may know', (room, rule) => {
    const own = sources.filter((source) => roomOf(source.file) === room && !CONFIGURATION.test(source.file));
    expect(own.flatMap((source) => importsBreaking(source, rule))).toEqual([]);
  });

  it('of heavy libraries are made in one place each', () => {
    const strays = sources.flatMap(({ file, imports }) =>
      imports.flatMap(({ specifier, line }) => {
        const home = HOMES[packageOf(specifier)];
        return home === undefined || home.test(file)
          ? []
          : [`${file}:${line} -> ${specifier} (belongs into ${home.source})`];
      }),
    );
    expect(strays).toEqual([]);
  });

  it('lead to files that exist, with their endings', () => {
    const broken = sources.flatMap(({ file, imports }) =>
      imports.flatMap(({ specifier, line }) => {
        const target = targetOf(file, specifier)?.replace(/\?.*$/, '');
        return target === undefined || existsSync(path.join(ROOT, target)) ? [] : [`${file}:${line} -> ${specifier}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it('of a synthetic offender are noticed, and a cycle is named', () => {
    const text =
      "import { readFile } from 'node:fs';\nexport type { A } from '../server/errors.ts';\nconst b = import('./ok.ts');\n";
    expect(importsBreaking(parseSource('agent/offender.ts', text), RULES.agent)).toEqual([
      'agent/offender.ts:1 -> node:fs (agent is pure mathematics)',
      'agent/offender.ts:2 -> server/errors.ts (agent is pure mathematics)',
    ]);
    expect(
      findCycle(
        new Map([
          ['a', ['b']],
          ['b', ['c', 'd']],
          ['d', ['b']],
        ]),
      ),
    ).toEqual(['b', 'd', 'b']);
    expect(parseSource('a.ts', 'export default 1;').defaultExportLine).toBe(1);
  });

  it('form no cycle at run time', () => {
    const edges = new Map(
      sources.map(({ file, imports }) => [
        file,
        imports.filter(({ atRunTime }) => atRunTime).flatMap(({ specifier }) => targetOf(file, specifier) ?? []),
      ]),
    );
    expect(findCycle(edges)?.join(' -> ')).toBeUndefined();
  });
});

describe('the tensor backend', () => {
  it('is chosen in one place, for tfjs has one engine a process', () => {
    const found = sources
      .filter(({ file }) => !/^(server\/tensors|test)\//.test(file))
      .flatMap(({ file, text }) =>
        linesMatching(text, /\b(setBackend|registerBackend)\(/).map((line) => `${file}:${line}`),
      );
    expect(found).toEqual([]);
  });
});

describe('agent', () => {
  it('asks neither clock nor chance nor network', () => {
    const forbidden = /\b(Math\.random|Date\.now|new Date|performance\.now|setTimeout|setInterval|process\.|fetch\()/;
    const found = sources
      .filter(({ file }) => roomOf(file) === 'agent')
      .flatMap(({ file, text }) => linesMatching(text, forbidden).map((line) => `${file}:${line}`));
    expect(found).toEqual([]);
  });
});

describe('files', () => {
  it('have no default export', () => {
    const found = sources
      .filter(({ file, defaultExportLine }) => defaultExportLine !== undefined && !CONFIGURATION.test(file))
      .map(({ file, defaultExportLine }) => `${file}:${defaultExportLine ?? 0}`);
    expect(found).toEqual([]);
  });

  it('are no longer than 400 lines of code, tests 600', () => {
    const python = filesBelow('sim-bridge', /\.py$/);
    const long = [...sources.map(({ file }) => file), ...python].flatMap((file) => {
      const length = codeLines(readFileSync(path.join(ROOT, file), 'utf8'));
      const limit = /(^|\/)tests?\//.test(file) ? 600 : 400;
      return length > limit ? [`${file}: ${length} lines of code, at most ${limit}`] : [];
    });
    expect(long).toEqual([]);
  });

  it('are called in kebab-case, in Python in snake_case', () => {
    const names = sources
      .map(({ file }) => file)
      .filter((file) => !/^[a-z0-9-]+(\.[a-z-]+)*$/.test(path.basename(file)));
    const python = filesBelow('sim-bridge', /\.py$/).filter((file) => !/^[a-z0-9_]+\.py$/.test(path.basename(file)));
    expect([...names, ...python]).toEqual([]);
  });
});

describe('rooms', () => {
  it.each(ROOMS)('%s has a README of at most 60 lines', (room) => {
    const readme = path.join(ROOT, room, 'README.md');
    expect(existsSync(readme), `${room}/README.md is missing`).toBe(true);
    expect(readFileSync(readme, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  });

  it('and the files of the tools are all that the root holds', () => {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
    const names = new Set(
      listed
        .toString()
        .split('\0')
        .map((file) => file.split('/')[0] ?? ''),
    );
    expect([...names].filter((name) => name !== '' && !ROOT_FILES.includes(name))).toEqual([]);
    for (const name of ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md']) expect([...names]).toContain(name);
  });
});

describe('the error table', () => {
  const table = Object.keys(ERROR_TABLE);
  const python = filesBelow('sim-bridge/src', /\.py$/).map((file) => ({
    file,
    text: readFileSync(path.join(ROOT, file), 'utf8'),
  }));
  const speakers = [
    ...sources.filter(({ file }) => roomOf(file) !== 'test' && file !== 'protocol/error-codes.ts'),
    ...python,
  ];

  it('holds no code that nobody raises', () => {
    const all = speakers.map(({ text }) => text).join('\n');
    expect(table.filter((code) => !new RegExp(`\\b${code}\\b`).test(all))).toEqual([]);
  });

  it('holds every code that Python raises', () => {
    // Environment variables share the prefix; they are only ever read from `environ`.
    const raised = python.flatMap(({ file, text }) =>
      [...text.matchAll(/(environ[^\n]*)?["'](L2M_[A-Z_]+)["']/g)]
        .filter((match) => match[1] === undefined)
        .map((match) => `${file}: ${match[2] ?? ''}`),
    );
    expect(raised.filter((entry) => !table.includes(entry.split(': ')[1] ?? ''))).toEqual([]);
  });
});

function linesMatching(text: string, pattern: RegExp): readonly number[] {
  return text
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line) ? [index + 1] : []));
}

function codeLines(text: string): number {
  return text.split('\n').filter((line) => line.trim() !== '' && !/^\s*(\/\/|\/?\*|#)/.test(line)).length;
}
