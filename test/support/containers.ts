import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { baseImage, loadBaseImage } from './base-images.ts';
import { docker } from './docker.ts';
import { containersTools } from './peers.ts';
import { runChecked } from './run-process.ts';
import { sharedService } from './services.ts';

const repository = join(import.meta.dirname, '../..');

/** This clone, and the program that is built in it: a container sees no other. */
export const clone = { repository, program: join(repository, 'packages/cli/bin/tbuild') };

/** What shows a container the clone, and where its base images really are. */
export const cloneMounts = (): string[] =>
  [repository, realpathSync(join(repository, '.cache'))].map((path) => `--volume=${path}:${path}:ro`);

/** Runs a command in a container of Node's image with an engine's defaults: no privilege, no device, its own filter. */
export type RunInContainer = (options: readonly string[], command: readonly string[]) => Promise<string>;

/** Containers of the shared Docker. */
export async function startDockerContainers(): Promise<RunInContainer> {
  const host = await sharedService('docker');
  await loadBaseImage('node', host);
  return (options, command) => docker(host, ['run', '--rm', '--network=host', ...options, 'node', ...command]);
}

/** Containers of Podman, run by root. */
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
