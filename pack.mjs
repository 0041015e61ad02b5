// Makes npm packages of the bundles: `npm run pack [-- DIRECTORY]` writes `@tbuild/cli` and `@tbuild/api` as tarballs.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = import.meta.dirname;
const { engines } = manifestOf('.');
const { version, license } = manifestOf('packages/cli');
const common = { version, type: 'module', license, engines };

/** Workspace packages are in the bundles; what is left are the packages that these load. */
const packages = [
  {
    source: 'packages/cli',
    readme: 'README.md',
    manifest: {
      name: '@tbuild/cli',
      description: 'Builds OCI images from Dockerfiles: no daemon, no root, no engine',
      ...common,
      bin: { tbuild: 'bin/tbuild' },
      files: ['bin', 'dist'],
      dependencies: { koffi: manifestOf('packages/linux').dependencies.koffi },
    },
  },
  {
    source: 'packages/api',
    readme: 'packages/api/README.md',
    manifest: {
      name: '@tbuild/api',
      description: 'Builds OCI images from Dockerfiles, as a function',
      ...common,
      files: ['dist'],
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      dependencies: { '@tbuild/cli': version },
    },
  },
];

if (import.meta.main ?? process.argv[1] === import.meta.filename) pack(resolve(process.argv[2] ?? join(root, 'dist')));

/** Writes the packages to a directory, and returns their files. */
export function pack(destination) {
  const staged = mkdtempSync(join(tmpdir(), 'tbuild-pack-'));
  try {
    const directories = packages.map((one) => stage(one, staged));
    mkdirSync(destination, { recursive: true });
    run('npm', ['pack', '--silent', '--pack-destination', destination, ...directories], staged);
  } finally {
    rmSync(staged, { recursive: true });
  }
  return readdirSync(destination)
    .filter((name) => /^tbuild-(?:cli|api)-.*\.tgz$/.test(name))
    .map((name) => join(destination, name));
}

/** A directory with the files of a package, whose bundle is there, and the manifest that is published. */
function stage({ source, readme, manifest }, staged) {
  const directory = join(staged, source);
  for (const name of manifest.files) cpSync(join(root, source, name), join(directory, name), { recursive: true });
  cpSync(join(root, readme), join(directory, 'README.md'));
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return directory;
}

function manifestOf(directory) {
  return JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'));
}

function run(program, args, cwd) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')} failed`);
}
