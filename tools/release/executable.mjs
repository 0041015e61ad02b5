import { chmodSync, copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'postject';
import { debianArchitecture, unpackPackages } from '../../fixtures/images/apt.mjs';
import { fetchPackage, nodePackage, root, run, withDirectory } from './inputs.mjs';

const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** One of the options in `packages/cli/src/startup/v8-options.ts`. The others have not been measured here. */
const V8_OPTIONS = ['--max-semi-space-size=4'];

/**
 * The snapshot holds the compiled code of every function: that is as fast as the snapshot of a process that has built
 * once, and holds nothing of the machine. The others give the same bytes each time.
 */
const SNAPSHOT_OPTIONS = ['--no-lazy', '--predictable', '--random-seed=1', '--hash-seed=1', '--no-warnings'];

/** The snapshot holds the number of its process too. */
const NAMESPACES = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--mount-proc'];

/** Where the program lies while its snapshot is made, in a mount namespace: the snapshot holds its path. */
const PLACE = '/mnt';

/**
 * Writes one executable with Node, the program, and the heap of a process that has loaded it, so that the first start is
 * as fast as later ones.
 */
export function makeExecutable(architecture, file) {
  const node = join(fetchPackage(nodePackage(architecture)), 'bin/node');
  return withDirectory(async (directory) => {
    copyFileSync(join(root, 'packages/cli/dist/tbuild.cjs'), join(directory, 'tbuild.cjs'));
    const config = {
      main: 'tbuild.cjs',
      output: 'blob',
      useSnapshot: true,
      disableExperimentalSEAWarning: true,
      execArgv: V8_OPTIONS,
      execArgvExtension: 'none',
    };
    writeFileSync(join(directory, 'sea.json'), JSON.stringify(config));
    const start = [...emulator(architecture), node, ...V8_OPTIONS, ...SNAPSHOT_OPTIONS];
    const script = `mount --bind "$1" ${PLACE} && cd ${PLACE} && shift && exec "$@"`;
    const command = ['sh', '-c', script, 'sh', directory, ...start, '--experimental-sea-config', 'sea.json'];
    run('unshare', [...NAMESPACES, ...command], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    copyFileSync(node, file);
    await injectQuietly(file, readFileSync(join(directory, 'blob')));
    chmodSync(file, 0o755);
  });
}

/** postject warns about names of sections that Node's binary has in another order. */
async function injectQuietly(file, blob) {
  const { warn } = console;
  console.warn = () => {};
  try {
    await inject(file, 'NODE_SEA_BLOB', blob, { sentinelFuse: FUSE });
  } finally {
    console.warn = warn;
  }
}

/** Returns what runs programs of an architecture here: nothing for the machine's own, else qemu with Debian's libraries. */
function emulator(architecture) {
  if (architecture === debianArchitecture()) return [];
  const libraries = join(root, '.cache/release', `libraries-${architecture}`);
  if (!existsSync(libraries)) {
    unpackPackages(['libc6', 'libstdc++6', 'libgcc-s1'], architecture, libraries);
    // A package of Debian's has /usr/lib only.
    if (!existsSync(join(libraries, 'lib'))) symlinkSync('usr/lib', join(libraries, 'lib'));
  }
  const qemu = { arm64: 'qemu-aarch64-static', amd64: 'qemu-x86_64-static' }[architecture];
  return [qemu, '-L', libraries];
}
