import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { baseImageArguments, type BaseImageName } from '../../support/base-images.ts';
import { program } from '../../support/program.ts';
import { runChecked } from '../../support/run-process.ts';
import type { Peer, PeerBuild } from '../peer.ts';
import { watchMemory } from '../watch-memory.ts';

/** The program of this clone. */
export async function tbuild(directory: string): Promise<Peer> {
  const store = join(directory, 'store');
  const bases = new Set<BaseImageName>();
  let forgotten = 0;
  let peak: number | undefined;
  return {
    name: 'tbuild',
    archives: 'createZstdCompress' in zlib ? ['gzip', 'zstd', 'uncompressed'] : ['gzip', 'uncompressed'],
    async build(context, options = {}) {
      const args = ['build', '--quiet', ...baseImageArguments([...bases]), ...argumentsOf(options), context];
      let memory: { stop(): number | undefined } | undefined;
      await runChecked(program, args, {
        env: { TBUILD_ROOT: store },
        onStart: ({ pid }) => (memory = watchMemory(pid)),
      });
      peak = memory?.stop();
    },
    addBase: async (name) => void bases.add(name),
    async forget() {
      mkdirSync(store, { recursive: true });
      renameSync(store, `${store}.${forgotten++}`);
    },
    peakMemory: () => peak,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function argumentsOf({ noCache, push, archive, platform }: PeerBuild): string[] {
  return [
    ...(noCache ? ['--no-cache'] : []),
    ...(platform ? ['--platform', platform] : []),
    ...(push ? ['--push'] : []),
    ...(archive
      ? ['--output', `type=oci,dest=${archive.path},compression=${archive.compression}`]
      : ['--tag', push ?? 'bench']),
  ];
}
