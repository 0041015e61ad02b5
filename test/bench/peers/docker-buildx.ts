import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadBaseImage } from '../../support/base-images.ts';
import { docker, startDocker, type Docker } from '../../support/docker.ts';
import type { Peer } from '../peer.ts';

/** Docker's daemon with its embedded BuildKit. */
export async function dockerBuildx(directory: string): Promise<Peer> {
  const daemon = await startDocker(directory);
  // The other daemon's store has images for one platform only.
  let baking: Docker | undefined;
  const run = (...args: string[]): Promise<string> => docker(daemon.host, args);
  return {
    name: 'docker buildx',
    archives: ['uncompressed'],
    engine: daemon.host,
    loads: true,
    async build(context, { noCache, push, archive, platform } = {}) {
      const tag = ['--tag', push ?? 'bench', ...(push ? ['--push'] : [])];
      const options = [...(noCache ? ['--no-cache'] : []), ...(platform ? ['--platform', platform] : [])];
      await run('buildx', 'build', '--quiet', ...tag, ...options, context);
      if (archive) await run('save', '--output', archive.path, 'bench');
    },
    async openBake() {
      const state = join(directory, 'containerd-store');
      mkdirSync(state, { recursive: true });
      baking ??= await startDocker(state, { hasContainerdStore: true });
      const { host } = baking;
      await loadBaseImage('busybox', host);
      return (cwd, targets = []) => docker(host, ['buildx', 'bake', '--progress', 'quiet', ...targets], { cwd });
    },
    addBase: (name) => loadBaseImage(name, daemon.host),
    forget: async () => void (await run('builder', 'prune', '--all', '--force')),
    async [Symbol.asyncDispose]() {
      await baking?.[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
    },
  };
}
