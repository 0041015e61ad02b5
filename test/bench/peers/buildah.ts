import { baseImage, type BaseImageName } from '../../support/base-images.ts';
import { containersTools } from '../../support/peers.ts';
import type { Peer, PeerBuild } from '../peer.ts';

/** Buildah with `--layers`, without which it keeps nothing. */
export async function buildah(directory: string): Promise<Peer> {
  const tools = containersTools(directory);
  const bases = new Set<BaseImageName>();
  const addBase = async (name: BaseImageName): Promise<void> => {
    bases.add(name);
    const id = (await tools.podman(['pull', '--quiet', `oci:${baseImage(name)}:latest`])).trim().split('\n').at(-1);
    await tools.podman(['tag', id ?? '', `localhost/${name}`]);
  };
  return {
    name: 'buildah',
    archives: ['gzip'],
    async build(context, options = {}) {
      await tools.buildah(['build', '--quiet', ...argumentsOf(options), context]);
      const { push, archive } = options;
      if (push) await tools.buildah(['push', '--quiet', '--tls-verify=false', 'bench', `docker://${push}`]);
      if (archive) await tools.buildah(['push', '--quiet', 'bench', `oci-archive:${archive.path}`]);
    },
    addBase,
    async forget() {
      await tools.buildah(['rmi', '--all', '--force']);
      for (const name of bases) await addBase(name);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function argumentsOf({ noCache, pull, platform }: PeerBuild): string[] {
  const pulling = pull ? ['--pull=missing', '--tls-verify=false'] : ['--pull=never'];
  return [
    '--layers',
    '--network',
    'host',
    '--tag',
    'bench',
    ...pulling,
    ...(noCache ? ['--no-cache'] : []),
    ...(platform ? ['--platform', platform] : []),
  ];
}
