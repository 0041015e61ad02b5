import { statSync } from 'node:fs';
import { posix } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { SandboxMount } from '@tbuild/executor';
import type { RunDevice } from '@tbuild/graph';
import { devicesNamed } from './cdi-devices.ts';
import type { CdiDevice, ContainerEdits } from './cdi-spec.ts';

/** What a step gets for its devices. */
export interface StepDevices {
  readonly mounts: readonly SandboxMount[];
  /** It takes the place of the step's own variables. */
  readonly env: readonly string[];
  /** Symbolic links that the step sees, by absolute path. */
  readonly links: ReadonlyMap<string, string>;
  /** Directories with libraries, for the cache of the step's linker. */
  readonly libraries: readonly string[];
  /** The version of the machine's CUDA driver, if the image may have libraries for an older one. */
  readonly cudaDriver?: string;
  /** Requests that no specification meets. */
  readonly missing: readonly string[];
}

/**
 * Returns what a step gets for the devices that it asks for.
 * @throws TbuildError UNSUPPORTED for a required device that no specification has, a device that this machine lacks, or one
 * with a hook that is not known.
 */
export function stepDevices(requests: readonly RunDevice[], devices: readonly CdiDevice[]): StepDevices {
  const found = requests.map((request) => ({ request, devices: devicesNamed(request.name, devices) }));
  const missing = found.filter((one) => one.devices.length === 0).map(({ request }) => request);
  const required = missing.find((request) => request.required);
  if (required !== undefined)
    throw new TbuildError('UNSUPPORTED', `required device ${JSON.stringify(required.name)} is not registered`, {
      hint: `${known(devices)}; --cdi-spec-dir names the directories of specifications`,
    });
  for (const device of found.flatMap((one) => one.devices)) requireKnownHooks(device);
  const edits = [...new Set(found.flatMap((one) => one.devices).flatMap((device) => device.edits))];
  return {
    mounts: [...new Map(edits.flatMap(mountsOf).map((mount) => [mount.target, mount] as const)).values()],
    env: edits.flatMap(({ env }) => env),
    links: new Map(edits.flatMap(linksOf)),
    libraries: [...new Set(edits.flatMap(librariesOf))],
    cudaDriver: edits.flatMap(({ hooks }) => valuesOf(hooks, 'enable-cuda-compat', 'host-driver-version'))[0],
    missing: missing.map(({ name }) => name),
  };
}

function known(devices: readonly CdiDevice[]): string {
  return devices.length === 0
    ? 'Write a CDI specification to /etc/cdi: there is none'
    : `Use one of ${devices.map(({ name }) => name).join(', ')}`;
}

function mountsOf({ nodes, mounts }: ContainerEdits): readonly SandboxMount[] {
  const devices = nodes.map(({ path, hostPath }): SandboxMount => {
    requireThere(hostPath);
    return { type: 'bind', source: hostPath, target: path, readonly: false, isDevice: true };
  });
  const files = mounts.map(({ hostPath, containerPath, readonly }): SandboxMount => {
    requireThere(hostPath);
    return { type: 'bind', source: hostPath, target: containerPath, readonly };
  });
  return [...devices, ...files];
}

/** Not by access(2), which the filter on devices refuses for one that this process may not open. */
function requireThere(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw new TbuildError(
      'UNSUPPORTED',
      `This machine lacks ${JSON.stringify(path)}, which a CDI specification names`,
      {
        hint: 'Load the driver of the device, or write its specification again',
      },
    );
}

/**
 * The commands of nvidia-ctk and nvidia-cdi-hook. The last two change nothing that a step of a build needs: the modes of
 * nodes, and the driver's list of nodes to make.
 */
const HOOKS = ['create-symlinks', 'update-ldcache', 'enable-cuda-compat', 'chmod', 'disable-device-node-modification'];

/** A hook would run as root outside of the step. tbuild does itself what it knows of them, and starts none. */
function requireKnownHooks({ name, edits }: CdiDevice): void {
  const unknown = edits.flatMap(({ hooks }) => hooks).find(({ args }) => !HOOKS.some((known) => args.includes(known)));
  if (unknown === undefined) return;
  const command = [unknown.path, ...unknown.args.slice(1)].join(' ');
  throw new TbuildError(
    'UNSUPPORTED',
    `The device ${JSON.stringify(name)} has the ${unknown.name} hook ${JSON.stringify(command)}, which tbuild does not run`,
    { hint: `Remove it from the specification if steps work without it. Known hooks: ${HOOKS.join(', ')}` },
  );
}

/** Of hooks only these mean something without a runtime: they make links, and bring the linker's cache up to date. */
function linksOf({ hooks }: ContainerEdits): readonly (readonly [path: string, target: string])[] {
  return valuesOf(hooks, 'create-symlinks', 'link').flatMap((text) => {
    const [target = '', path = ''] = text.split('::');
    return path.startsWith('/') && target !== '' ? [[path, target] as const] : [];
  });
}

function librariesOf({ hooks }: ContainerEdits): readonly string[] {
  return valuesOf(hooks, 'update-ldcache', 'folder').filter((folder) => posix.isAbsolute(folder));
}

/** Returns the values of an option of a hook: `--folder a`, `--folder=a`. */
function valuesOf(hooks: ContainerEdits['hooks'], command: string, option: string): readonly string[] {
  return hooks
    .filter(({ args }) => args.includes(command))
    .flatMap(({ args }) =>
      args.flatMap((word, at) => {
        if (word === `--${option}`) return args[at + 1] ?? [];
        return word.startsWith(`--${option}=`) ? word.slice(option.length + 3) : [];
      }),
    );
}
