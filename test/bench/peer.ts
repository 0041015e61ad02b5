import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { baseImage, baseImageArguments, loadBaseImage } from '../support/base-images.ts';
import { startDocker } from '../support/docker.ts';
import { containersTools } from '../support/peers.ts';
import { program } from '../support/program.ts';
import { canRunDocker, canRunPodman, hasProgram } from '../support/requirements.ts';
import { runChecked } from '../support/run-process.ts';

/** One builder under measurement, with a state of its own. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  /** Builds the context in a directory; throws when that fails. */
  build(context: string, options?: { readonly noCache?: boolean }): Promise<unknown>;
}

/** tbuild, and those of its peers that this machine has; their state lies below `directory`. */
export async function startPeers(directory: string): Promise<Peer[]> {
  const peers = [tbuild(join(directory, 'tbuild'))];
  if (canRunDocker) peers.push(await dockerBuildx(join(directory, 'docker')));
  if (canRunPodman && hasProgram('buildah')) peers.push(await buildah(join(directory, 'buildah')));
  return peers;
}

const noCacheFlag = (noCache?: boolean) => (noCache ? ['--no-cache'] : []);

function tbuild(store: string): Peer {
  const images = baseImageArguments();
  return {
    name: 'tbuild',
    build: (context, { noCache } = {}) => {
      const args = ['build', '--quiet', '--tag', 'bench', ...images, ...noCacheFlag(noCache), context];
      return runChecked(program, args, { env: { TBUILD_ROOT: store } });
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function dockerBuildx(directory: string): Promise<Peer> {
  mkdirSync(directory, { recursive: true });
  const daemon = await startDocker(directory);
  await loadBaseImage('busybox', daemon.host);
  return {
    name: 'docker buildx',
    build: (context, { noCache } = {}) =>
      runChecked('docker', ['buildx', 'build', '--quiet', '--tag', 'bench', ...noCacheFlag(noCache), context], {
        env: { DOCKER_HOST: daemon.host },
      }),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

async function buildah(directory: string): Promise<Peer> {
  mkdirSync(directory, { recursive: true });
  const tools = containersTools(directory);
  await tools.podman(['pull', '--quiet', `oci:${baseImage('busybox')}:latest`]);
  const id = (await tools.podman(['images', '--quiet'])).trim().split('\n')[0]!;
  await tools.podman(['tag', id, 'localhost/busybox']);
  const options = ['--layers', '--network', 'host', '--pull=never', '--quiet', '--tag', 'bench'];
  return {
    name: 'buildah',
    build: (context, { noCache } = {}) => tools.buildah(['build', ...options, ...noCacheFlag(noCache), context]),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
