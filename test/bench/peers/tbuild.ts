import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { baseImage, baseImageArguments, type BaseImageName } from '../../support/base-images.ts';
import { program } from '../../support/program.ts';
import { hasProgram, isRoot } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import type { Caching, Isolation, Peer, PeerBuild } from '../peer.ts';
import { watchMemory } from '../watch-memory.ts';

type TbuildOptions = PeerBuild & Caching;

/** The program of this clone, or `run`, an earlier one that goes by another name. */
export async function tbuild(directory: string, name = 'tbuild', run = program): Promise<Peer> {
  const store = join(directory, 'store');
  const bases = new Set<BaseImageName>();
  let forgotten = 0;
  let peak: number | undefined;
  const build = async (context: string, options: TbuildOptions = {}): Promise<void> => {
    const args = ['build', '--quiet', ...baseImageArguments([...bases]), ...argumentsOf(options), context];
    const [command = '', ...rest] = [...withRuntime(options.isolation), run, ...args];
    let memory: { stop(): number | undefined } | undefined;
    await runChecked(command, rest, {
      env: { TBUILD_ROOT: store, ...(options.loadInto ? { DOCKER_HOST: options.loadInto } : {}) },
      onStart: ({ pid }) => (memory = watchMemory(pid)),
    });
    peak = memory?.stop();
  };
  return {
    name,
    archives: 'createZstdCompress' in zlib ? ['gzip', 'zstd', 'uncompressed'] : ['gzip', 'uncompressed'],
    loads: true,
    isolations: ['namespace', 'chroot', ...RUNTIMES.filter((name) => isRoot && hasProgram(name))],
    build,
    openBake:
      async () =>
      async (cwd, targets = []) => {
        const images = [...bases].flatMap((base) => [
          `--set=*.contexts.${base}=oci-layout://${baseImage(base)}`,
          `--allow=fs.read=${baseImage(base)}`,
        ]);
        await runChecked(run, ['bake', '--quiet', ...images, ...targets], { cwd, env: { TBUILD_ROOT: store } });
      },
    openCaching: async () => build,
    addBase: async (base) => void bases.add(base),
    async forget() {
      mkdirSync(store, { recursive: true });
      renameSync(store, `${store}.${forgotten++}`);
    },
    peakMemory: () => peak,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const RUNTIMES = ['crun', 'runc'] as const;

/** Hides the faster runtimes, since tbuild takes the fastest installed one. */
function withRuntime(isolation: Isolation | undefined): string[] {
  if (isolation !== 'runc' || !hasProgram('crun')) return [];
  return ['unshare', '--mount', 'sh', '-c', 'mount --bind /dev/null "$(command -v crun)" && exec "$0" "$@"'];
}

function argumentsOf({
  noCache,
  contexts = {},
  names = [],
  push,
  archive,
  platform,
  isolation,
  loadInto,
  cacheTo,
  cacheFrom,
}: TbuildOptions): string[] {
  const isRuntime = RUNTIMES.some((name) => name === isolation);
  return [
    ...(isolation ? ['--isolation', isRuntime ? 'oci' : isolation] : []),
    ...(noCache ? ['--no-cache'] : []),
    ...Object.entries(contexts).map(([name, value]) => `--build-context=${name}=${value}`),
    ...names.flatMap((name) => ['--tag', name]),
    ...(cacheTo ? ['--cache-to', cacheTo] : []),
    ...(cacheFrom ? ['--cache-from', cacheFrom] : []),
    ...(platform ? ['--platform', platform] : []),
    ...(push ? ['--push'] : []),
    ...(loadInto ? ['--load'] : []),
    ...(archive
      ? ['--output', `type=oci,dest=${archive.path},compression=${archive.compression}`]
      : ['--tag', push ?? 'bench']),
  ];
}
