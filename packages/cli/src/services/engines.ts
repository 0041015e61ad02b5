import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Services } from '@tbuild/builder';
import type * as EngineModule from '@tbuild/engine';
import type { EngineAddress, ImageEngine, Programs } from '@tbuild/engine';
import { dockerAddress, DOCKER_SOCKET } from '../config/docker-context.ts';
import type { Environment } from '../config/environment.ts';
import { openOutside } from './run-program.ts';

const DOCKER: EngineAddress = { host: DOCKER_SOCKET };

/** Returns where to look for Docker, and whether the user said so. */
export function chosenDocker(
  context: string | undefined,
  env: Environment,
): EngineAddress & { readonly isChosen: boolean } {
  const address = dockerAddress(context, env);
  return { ...(address ?? DOCKER), isChosen: address !== undefined };
}

/** Returns the way to start the user's programs that reach engines. */
export function programsOf(env: Environment): Programs {
  return { run: (args, options) => openOutside(env).run(args, options), cwd: env.cwd };
}

/** The engines of one command. */
export type OpenEngines = Services['engines'] & { close(): Promise<void> };

/**
 * Opens the engines of the user with the first use of each. A plain name is looked for where that costs next to nothing:
 * in engines that have a socket on this machine, and in containers-storage if its index has the name.
 */
export function createEngines(env: Environment): OpenEngines {
  const opened = new Map<string, ImageEngine>();
  const open = async (key: string, make: (module: typeof EngineModule) => ImageEngine) => {
    const module = await import('@tbuild/engine');
    const engine = opened.get(key) ?? make(module);
    opened.set(key, engine);
    return engine;
  };
  const docker = (address: EngineAddress, name?: string) =>
    open(address.host, ({ dockerImages }) => dockerImages(address, programsOf(env), name));
  const storage = () => open('storage', ({ storageImages }) => storageImages(programsOf(env)));
  const podmanSocket = (): EngineAddress | undefined => podmanSockets(env).find(isThere);
  const comeFirst = env.variables.TBUILD_ENGINE_IMAGES === 'docker';
  return {
    comeFirst,
    async local(name) {
      const address = dockerAddress(undefined, env) ?? DOCKER;
      if (comeFirst) return [await docker(address)];
      const podman = podmanSocket();
      return [
        ...(isThere(address) ? [await docker(address)] : []),
        ...(podman === undefined ? [] : [await docker(podman, 'Podman')]),
        ...(podman === undefined && isInStorage(name, env) ? [await storage()] : []),
      ];
    },
    async open(kind) {
      if (kind === 'docker-daemon') return docker(dockerAddress(undefined, env) ?? DOCKER);
      const podman = podmanSocket();
      return podman === undefined ? storage() : docker(podman, 'Podman');
    },
    async close() {
      for (const engine of opened.values()) await engine[Symbol.asyncDispose]();
    },
  };
}

/** Returns the addresses at which Podman listens when its service runs. */
function podmanSockets({ variables, uid }: Environment): readonly EngineAddress[] {
  const { XDG_RUNTIME_DIR } = variables;
  const directories = [...(XDG_RUNTIME_DIR ? [XDG_RUNTIME_DIR] : []), ...(uid === 0 ? ['/run'] : [])];
  return directories.map((directory) => ({ host: `unix://${join(directory, 'podman/podman.sock')}` }));
}

function isThere({ host }: EngineAddress): boolean {
  const path = /^(?:unix:\/\/)?(\/.*)$/.exec(host)?.[1];
  return path !== undefined && statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** Podman keeps the names of its images in one file. Without it, or in another place, no program is started. */
function isInStorage(name: string, env: Environment): boolean {
  const root = storageRoot(env);
  if (root === undefined) return false;
  const repository = name.includes('/') ? name : `/${name}`;
  const tagged = /:[^/]*$/.test(repository) ? repository : `${repository}:latest`;
  return ['overlay', 'vfs'].some((driver) => textOf(join(root, `${driver}-images/images.json`)).includes(`${tagged}"`));
}

/** Returns the directory of containers-storage ("containers-storage.conf(5)"). */
function storageRoot({ variables, uid }: Environment): string | undefined {
  const { XDG_DATA_HOME, HOME, CONTAINERS_STORAGE_CONF } = variables;
  const named = CONTAINERS_STORAGE_CONF || (uid === 0 ? '/etc' : HOME && join(HOME, '.config'));
  const file = CONTAINERS_STORAGE_CONF ? named : named && join(named, 'containers/storage.conf');
  const [, configured] = /^\s*graphroot\s*=\s*"([^"]+)"/m.exec(textOf(file ?? '')) ?? [];
  if (configured !== undefined) return configured;
  if (uid === 0) return '/var/lib/containers/storage';
  const home = XDG_DATA_HOME || (HOME && join(HOME, '.local/share'));
  return home ? join(home, 'containers/storage') : undefined;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
