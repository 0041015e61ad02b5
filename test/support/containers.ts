import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { baseImage, loadBaseImage } from './base-images.ts';
import { docker } from './docker.ts';
import { containersTools } from './peers.ts';
import { runChecked } from './run-process.ts';
import { sharedService } from './services.ts';

const repository = join(import.meta.dirname, '../..');

/** This clone and its program, the only ones that a container sees. */
export const clone = { repository, program: join(repository, 'packages/cli/bin/tbuild') };

/** Volumes that show a container the clone and the real directory of its base images. */
export const cloneMounts = (): string[] =>
  [repository, realpathSync(join(repository, '.cache'))].map((path) => `--volume=${path}:${path}:ro`);

/** Runs a command in a container of Node's image with an engine's defaults: no privileges, no devices, its seccomp filter. */
export type RunInContainer = (options: readonly string[], command: readonly string[]) => Promise<string>;

/** Runs containers in the shared Docker. */
export async function startDockerContainers(): Promise<RunInContainer> {
  const host = await sharedService('docker');
  await loadBaseImage('node', host);
  return (options, command) => docker(host, ['run', '--rm', '--network=host', ...options, 'node', ...command]);
}

/** Runs containers in Podman as root. */
export async function startPodmanContainers(): Promise<RunInContainer> {
  const { env, podman } = containersTools();
  const storage = readFileSync(env['CONTAINERS_STORAGE_CONF'] ?? '', 'utf8');
  const [graph, run] = ['graphroot', 'runroot'].map((name) => new RegExp(`${name} = "(.*)"`).exec(storage)?.[1]);
  await runChecked(
    'skopeo',
    [
      'copy',
      '--quiet',
      `oci:${baseImage('node')}:latest`,
      `containers-storage:[overlay@${graph}+${run}]docker.io/library/node:latest`,
    ],
    { env },
  );
  return (options, command) => podman(['run', '--rm', '--network=host', ...options, 'node', ...command]);
}
