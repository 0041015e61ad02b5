import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadBaseImage } from '../../support/base-images.ts';
import { docker, startDocker, type Docker } from '../../support/docker.ts';
import type { Peer } from '../peer.ts';

/** Docker's daemon with its embedded BuildKit. */
export async function dockerBuildx(directory: string): Promise<Peer> {
  const daemon = await startDocker(directory);
  let other: Docker | undefined;
  /** Starts a daemon whose store has images for several platforms and exports caches, unlike that of the first. */
  const openOther = async (): Promise<string> => {
    const state = join(directory, 'containerd-store');
    mkdirSync(state, { recursive: true });
    other ??= await startDocker(state, { hasContainerdStore: true });
    await loadBaseImage('busybox', other.host);
    return other.host;
  };
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
      const host = await openOther();
      return (cwd, targets = []) => docker(host, ['buildx', 'bake', '--progress', 'quiet', ...targets], { cwd });
    },
    async openCaching() {
      const host = await openOther();
      return (context, { cacheTo, cacheFrom, push }) => {
        const caches = [...(cacheTo ? ['--cache-to', cacheTo] : []), ...(cacheFrom ? ['--cache-from', cacheFrom] : [])];
        const args = ['--tag', push ?? 'bench', ...(push ? ['--push'] : []), ...caches, context];
        return docker(host, ['buildx', 'build', '--quiet', ...args]);
      };
    },
    addBase: (name) => loadBaseImage(name, daemon.host),
    async forget() {
      await run('builder', 'prune', '--all', '--force');
      if (other === undefined) return;
      // The image store keeps the layers of pushed images and of their bases, which a build then need not fetch.
      for (const what of ['image', 'builder']) await docker(other.host, [what, 'prune', '--all', '--force']);
      await loadBaseImage('busybox', other.host);
    },
    async [Symbol.asyncDispose]() {
      await other?.[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
    },
  };
}
