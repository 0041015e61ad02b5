import { getOrMake } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { type Emulation, findEmulation, type Sandbox, type SandboxMount } from '@tbuild/executor';
import { formatPlatform, samePlatform, type Platform } from '@tbuild/oci';
import type { StoreLayout } from '@tbuild/store';

/** The machine that RUN steps run on. */
export interface Machine {
  readonly store: Pick<StoreLayout, 'run'>;
  readonly platform: Platform;
  /** Directories to search for emulators. */
  readonly searchPath: readonly string[];
}

/** How programs of other platforms run on a machine. */
export interface Emulators {
  /** The machine's own platform. */
  readonly host: Platform;
  /** Finds out how programs of a platform run, once per platform. */
  find(platform: Platform): Promise<Emulation>;
}

export function createEmulators({ store, platform: host, searchPath }: Machine): Emulators {
  const known = new Map<string, Promise<Emulation>>();
  return {
    host,
    find: (platform) =>
      getOrMake(known, formatPlatform(platform), () =>
        findEmulation(platform, { directory: store.run, host, searchPath }),
      ),
  };
}

/** What a step needs to run programs of its platform. */
export interface PlatformNeeds extends Pick<Sandbox, 'handler'> {
  readonly mounts: readonly SandboxMount[];
}

const NOTHING: PlatformNeeds = { mounts: [] };

/**
 * Checks that programs of the platform can run on this machine. Otherwise the kernel's error would come from within a
 * step, without a reason.
 * @throws TbuildError UNSUPPORTED, with what to install.
 */
export async function requirePlatform(platform: Platform, emulators: Emulators): Promise<PlatformNeeds> {
  if (samePlatform(platform, emulators.host)) return NOTHING;
  const emulation = await emulators.find(platform);
  switch (emulation.kind) {
    case 'native':
      return NOTHING;
    case 'bound':
      return { mounts: [{ type: 'bind', source: emulation.emulator, target: emulation.emulator, readonly: true }] };
    case 'registered':
      return { mounts: [], handler: emulation.rule };
    case 'none':
      throw notRunnable(platform, emulators.host, emulation);
  }
}

function notRunnable(
  platform: Platform,
  host: Platform,
  { emulator, reason }: Extract<Emulation, { kind: 'none' }>,
): TbuildError {
  const beginning = `Programs for ${formatPlatform(platform)} cannot run on this ${formatPlatform(host)} machine`;
  const natively = 'or build the stage on this platform: FROM --platform=$BUILDPLATFORM';
  if (emulator === undefined) {
    return new TbuildError('UNSUPPORTED', `${beginning}: no emulator is installed`, {
      hint: `Install qemu-user-static (Debian, Ubuntu: apt-get install qemu-user-static), ${natively}`,
    });
  }
  return new TbuildError(
    'UNSUPPORTED',
    `${beginning}: the emulator "${emulator}" is not registered, and steps cannot register it here (${reason})`,
    {
      hint:
        `Use Linux 6.7 or later with user namespaces and util-linux 2.39, or register it for the whole machine as root: ` +
        `apt-get install qemu-user-binfmt, or docker run --privileged --rm tonistiigi/binfmt --install ${platform.architecture}; ${natively}`,
    },
  );
}
