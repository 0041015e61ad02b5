import { readFileSync } from 'node:fs';
import { resolvePath } from '@tbuild/context';
import type { Executor, Sandbox } from '@tbuild/executor';
import { type ActiveSnapshot, type LayeredTree, openLayeredTree, type OverlayFlavour } from '@tbuild/snapshot';
import type { StepDevices } from '../../devices/step-devices.ts';
import { LINKER_CACHE } from './device-places.ts';

/** A tree like the step's to try things in, which is discarded. */
export interface LinkerPlace {
  readonly scratch: ActiveSnapshot;
  readonly flavour: OverlayFlavour;
  readonly executor: Executor;
}

const LDCONFIG = 'sbin/ldconfig';

/**
 * Makes the linker's cache with the libraries of devices, as the hooks of a specification would, by the image's own
 * ldconfig. Returns undefined for an image without one, such as Alpine, whose linker has no cache.
 */
export async function linkerCacheFor(
  { libraries, cudaDriver, mounts }: StepDevices,
  { scratch, flavour, executor }: LinkerPlace,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const tree = openLayeredTree([...scratch.lowers, scratch.upper], flavour);
  if (resolvePath(tree, LDCONFIG, { followLast: true }) === undefined) return undefined;
  const args = [`/${LDCONFIG}`, ...cudaLibraries(tree, cudaDriver), ...libraries];
  const sandbox: Sandbox = {
    root: scratch,
    mounts,
    process: { args, env: [], cwd: '/', user: { uid: 0, gid: 0, groups: [0] } },
    hostname: 'ldconfig',
    network: 'none',
    security: 'sandbox',
  };
  await executor.run(sandbox, { stdout: () => {}, stderr: () => {} }, signal);
  const made = openLayeredTree([scratch.upper], flavour).stat(LINKER_CACHE);
  return made?.stats.isFile() === true ? readFileSync(made.location) : undefined;
}

const CUDA = 'usr/local/cuda/compat';

/** Returns the directory with the image's own libraries of the CUDA driver, if they are newer than the machine's driver. */
function cudaLibraries(tree: LayeredTree, driver: string | undefined): readonly string[] {
  const directory = driver === undefined ? undefined : resolvePath(tree, CUDA, { followLast: true });
  if (directory === undefined) return [];
  const majorOf = (version = ''): number => Number.parseInt(version, 10);
  const own = tree.list(directory).map(({ name }) => majorOf(/^libcuda\.so\.(\d+)\.\d/.exec(name)?.[1]));
  return own.some((major) => major > majorOf(driver)) ? [`/${CUDA}`] : [];
}
