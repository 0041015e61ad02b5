import { loadBaseImage } from '../../support/base-images.ts';
import { docker, startDocker } from '../../support/docker.ts';
import type { Peer } from '../peer.ts';

/** Docker's daemon with its embedded BuildKit. */
export async function dockerBuildx(directory: string): Promise<Peer> {
  const daemon = await startDocker(directory);
  const run = (...args: string[]): Promise<string> => docker(daemon.host, args);
  return {
    name: 'docker buildx',
    archives: ['uncompressed'],
    async build(context, { noCache, push, archive, platform } = {}) {
      const tag = ['--tag', push ?? 'bench', ...(push ? ['--push'] : [])];
      const options = [...(noCache ? ['--no-cache'] : []), ...(platform ? ['--platform', platform] : [])];
      await run('buildx', 'build', '--quiet', ...tag, ...options, context);
      if (archive) await run('save', '--output', archive.path, 'bench');
    },
    addBase: (name) => loadBaseImage(name, daemon.host),
    forget: async () => void (await run('builder', 'prune', '--all', '--force')),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
