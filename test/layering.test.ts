import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** A package imports only packages in a higher row. */
const ROWS = [
  ['errors'],
  ['oci', 'progress', 'concurrency'],
  ['linux', 'graph', 'dockerfile', 'tui', 'go-template', 'ssh-agent', 'spec', 'init'],
  ['store', 'frontend', 'solver', 'host', 'bake', 'api'],
  ['content', 'snapshot', 'context', 'builds'],
  ['cache', 'diff', 'engine', 'executor', 'registry'],
  ['copy', 'sources', 'object-store'],
  ['layers'],
  ['exporter'],
  ['gc', 'attest', 'images'],
  ['builder', 'verify', 'report'],
  ['cli'],
];

const rowOf = new Map(ROWS.flatMap((row, index) => row.map((name): [string, number] => [name, index])));

/** Node's own modules that read the environment, the terminal or the clock have no place below the program. */
const SURROUNDINGS = /(?<![.\w])process\.(env|cwd|stdout|stderr|stdin|argv|exit)\b/;
const CLOCK = /\bDate\.now\(|\bnew Date\(\)/;

/** A file in which `process` is the process of a sandbox. */
const OWN_PROCESS = /[{,(]\s*process\s*[,}:)]/;

interface Source {
  readonly file: string;
  readonly package: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const IMPORT = /^(?:import|export)\s(?:[\w$*\s,]*(?:\{[^}]*\})?\s*from\s)?'([^']+)'|\bimport\('([^']+)'\)/gm;

function sourcesOf(name: string): Source[] {
  const walk = (directory: string): string[] =>
    readdirSync(directory).flatMap((entry) => {
      const path = join(directory, entry);
      return statSync(path).isDirectory() ? walk(path) : /\.tsx?$/.test(path) ? [path] : [];
    });
  return walk(join(ROOT, 'packages', name, 'src')).map((file) => {
    const text = readFileSync(file, 'utf8');
    const imports = [...text.matchAll(IMPORT)].map(([, fixed, dynamic]) => fixed ?? dynamic ?? '');
    return { file, package: name, text, imports };
  });
}

const names = readdirSync(join(ROOT, 'packages'));
const sources = names.flatMap(sourcesOf);
const isTest = (file: string): boolean => /(\.test\.tsx?|testsuite\.ts|test-[a-z-]+\.ts)$/.test(file);

test('every package has its row', () => {
  expect(names.toSorted()).toEqual([...rowOf.keys()].toSorted());
});

test('docs/architecture.md has the packages in these rows', () => {
  const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const rows = [...page.matchAll(/^\| \d+ \| ([^|]+) \|/gm)].map(([, cell = '']) => cell.match(/[\w-]+/g));
  expect(rows).toEqual(ROWS);
});

test.each(names)('%s imports only what it declares, from higher rows', (name) => {
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'),
  );
  const declared = new Set(Object.keys(manifest.dependencies ?? {}));
  const wrong: string[] = [];
  for (const { file, imports } of sources.filter((source) => source.package === name && !isTest(source.file))) {
    for (const specifier of imports.filter((one) => !one.startsWith('.') && !one.startsWith('node:'))) {
      const imported = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      const row = rowOf.get(imported.replace('@tbuild/', ''));
      const place = `${relative(ROOT, file)} imports ${specifier}`;
      if (!declared.has(imported)) wrong.push(`${place}, which is not declared`);
      if (imported.startsWith('@tbuild/') && (row ?? 99) >= (rowOf.get(name) ?? 0))
        wrong.push(`${place}, which is not in a higher row`);
    }
  }
  expect(wrong).toEqual([]);
});

test('no cycles between files', () => {
  const edges = new Map(
    sources.map(({ file, imports }) => [
      file,
      imports.filter((one) => one.startsWith('.')).map((one) => resolve(dirname(file), one)),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].map((one) => relative(ROOT, one));
    if (done.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  const cycles = [...edges.keys()].map((file) => visit(file, [])).filter((cycle) => cycle !== undefined);
  expect(cycles).toEqual([]);
});

test('below the program nobody reads the environment, the terminal or the clock', () => {
  const wrong = sources
    .filter((source) => source.package !== 'cli' && !isTest(source.file))
    .filter(({ text }) => readsSurroundings(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')))
    .map(({ file }) => relative(ROOT, file));
  expect(wrong).toEqual([]);
});

function readsSurroundings(code: string): boolean {
  return CLOCK.test(code) || (SURROUNDINGS.test(code) && !OWN_PROCESS.test(code));
}

/** Directories and files below the root of a store, but those that every OCI image layout has. */
const STORE_NAMES =
  /'(?:refs|run|trash|leases|records|snapshots|layers|digests|variants|resolved|copies|explain|context-index|cache-mounts|synced(?:\.lock)?)'/;

test('only the store package knows the names of directories below the root of a store', () => {
  const wrong = sources
    .filter((source) => source.package !== 'store' && !isTest(source.file))
    .flatMap(({ file, text }) =>
      text
        .split('\n')
        .filter((line) => /\b(?:join|resolve)\(/.test(line) && STORE_NAMES.test(line))
        .map((line) => `${relative(ROOT, file)}: ${line.trim()}`),
    );
  expect(wrong).toEqual([]);
});
