// Makes npm packages of the bundles: `npm run pack [-- DIRECTORY]` writes `@tbuild/cli` and `@tbuild/api` as tarballs.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { capture, manifestOf, root, version, withDirectory } from './tools/release/inputs.mjs';

const { engines } = manifestOf('.');
const { license } = manifestOf('packages/cli');
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
      scripts: { preinstall: 'node npm/check-platform.cjs' },
      files: ['bin', 'dist', 'npm'],
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

if (import.meta.main ?? process.argv[1] === import.meta.filename)
  for (const file of await pack(resolve(process.argv[2] ?? join(root, 'dist')))) console.log(file);

/** Writes the packages to a directory, and returns their files. */
export function pack(destination) {
  mkdirSync(destination, { recursive: true });
  return withDirectory((staged) => {
    const directories = packages.map((one) => stage(one, staged));
    const names = capture('npm', ['pack', '--silent', '--pack-destination', destination, ...directories], {
      cwd: staged,
    });
    return names.split('\n').map((name) => join(destination, name));
  });
}

/** A directory with the files of a package, whose bundle is there, and the manifest that is published. */
function stage({ source, readme, manifest }, staged) {
  const directory = join(staged, source);
  for (const name of manifest.files) cpSync(join(root, source, name), join(directory, name), { recursive: true });
  cpSync(join(root, readme), join(directory, 'README.md'));
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return directory;
}
