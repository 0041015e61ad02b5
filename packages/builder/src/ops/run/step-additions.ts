import type { Sandbox, SandboxMount } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import { createTreeWriter, insertLayer } from '@tbuild/snapshot';
import type { StepDevices } from '../../devices/step-devices.ts';
import { placeForDevices } from './device-places.ts';
import { aptAsRoot } from './fake-ids.ts';
import { type Certificates, type StepTree, trustInStep } from './step-certificates.ts';
import type { StepFiles } from './step-files.ts';

/** What the builder gives to a step for its time alone. */
export interface StepAdditions extends Pick<Sandbox, 'root'> {
  readonly mounts: readonly SandboxMount[];
  /** Variables beside those of the step's environment. */
  readonly env: readonly string[];
  /** Variables that take the place of the step's own. */
  readonly overrides: readonly string[];
  /** Takes it out of what the step changed. Call it when the step has ended. */
  takeBack(): void;
}

export interface AddedParts {
  readonly certificates?: Certificates;
  readonly fakeIds: boolean;
  readonly devices?: StepDevices;
  /** The linker's cache for the libraries of the devices. */
  readonly linkerCache?: Uint8Array;
}

/** Collects what a step gets beside what its Dockerfile says. */
export function additionsTo(
  { env }: Pick<RunOp, 'env'>,
  { certificates, fakeIds, devices, linkerCache }: AddedParts,
  { files, ...place }: StepTree & { readonly files: StepFiles },
): StepAdditions {
  const { active, flavour } = place;
  const faked = fakeIds ? [aptAsRoot(files)] : [];
  const overrides = devices?.env ?? [];
  if (certificates === undefined && devices === undefined) {
    const mounts = faked.flatMap((part) => part.mounts);
    return { root: active, mounts, env: unset(faked, env), overrides, takeBack: () => {} };
  }
  const { layer, ...root } = insertLayer(active);
  const writer = createTreeWriter({ upper: layer, lowers: active.lowers, flavour });
  const trust = certificates && trustInStep(certificates, place, { files, writer });
  if (devices !== undefined) placeForDevices({ devices, linkerCache }, place.tree, writer);
  writer.finish();
  const parts = [...(trust === undefined ? [] : [trust]), ...faked];
  return {
    root,
    mounts: [...parts, ...(devices === undefined ? [] : [devices])].flatMap(({ mounts }) => mounts),
    env: unset(parts, env),
    overrides,
    takeBack: () => trust?.takeBack(),
  };
}

/** Returns the variables that the environment does not set. */
function unset(parts: readonly { readonly env: readonly string[] }[], env: readonly string[]): readonly string[] {
  return without(
    parts.flatMap((part) => part.env),
    env,
  );
}

/** Returns the variables whose names others do not have. */
export function without(variables: readonly string[], others: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('='));
  const names = new Set(others.map(nameOf));
  return variables.filter((entry) => !names.has(nameOf(entry)));
}
