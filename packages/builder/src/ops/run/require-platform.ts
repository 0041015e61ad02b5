import { getOrMake } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { type Emulation, findEmulation, type Sandbox, type SandboxMount } from '@tbuild/executor';
import { formatPlatform, samePlatform, type Platform } from '@tbuild/oci';
import type { Services } from '../../services.ts';

type Machine = Pick<Services, 'store' | 'platform' | 'searchPath'>;

/** What a step needs to run programs of its platform. */
export interface PlatformNeeds extends Pick<Sandbox, 'handler'> {
  readonly mounts: readonly SandboxMount[];
}

const NOTHING: PlatformNeeds = { mounts: [] };

/** The emulation of each platform, cached per services. */
const answers = new WeakMap<Machine, Map<string, Promise<Emulation>>>();

/**
 * Checks that programs of the platform can run on this machine. Otherwise the kernel's error would come from within a
 * step, without a reason.
 * @throws TbuildError UNSUPPORTED, with what to install.
 */
export async function requirePlatform(platform: Platform, services: Machine): Promise<PlatformNeeds> {
  if (samePlatform(platform, services.platform)) return NOTHING;
  const known = getOrMake(answers, services, () => new Map<string, Promise<Emulation>>());
  const { platform: host, searchPath } = services;
  const emulation = await getOrMake(known, formatPlatform(platform), () =>
    findEmulation(platform, { directory: services.store.run, host, searchPath }),
  );
  switch (emulation.kind) {
    case 'native':
      return NOTHING;
    case 'bound':
      return { mounts: [{ type: 'bind', source: emulation.emulator, target: emulation.emulator, readonly: true }] };
    case 'registered':
      return { mounts: [], handler: emulation.rule };
    case 'none':
      throw notRunnable(platform, host, emulation);
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
