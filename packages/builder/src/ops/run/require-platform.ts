import { getOrMake } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { type Emulation, findEmulation, type Sandbox, type SandboxMount } from '@tbuild/executor';
import { formatPlatform, samePlatform, type Platform } from '@tbuild/oci';
import type { Services } from '../../services.ts';

type Machine = Pick<Services, 'store' | 'platform' | 'searchPath'>;

/** What a step needs besides, so that its programs run. */
export interface PlatformNeeds extends Pick<Sandbox, 'handler'> {
  readonly mounts: readonly SandboxMount[];
}

const NOTHING: PlatformNeeds = { mounts: [] };

/** What was found out about each platform, for as long as the services lives. */
const answers = new WeakMap<Machine, Map<string, Promise<Emulation>>>();

/**
 * Finds out what programs of the platform need to run here: the kernel's own answer would come out of the middle of a
 * step and name no reason.
 * @throws TbuildError UNSUPPORTED with what to install.
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
  const natively = 'or let the stage run natively: FROM --platform=$BUILDPLATFORM';
  if (emulator === undefined) {
    return new TbuildError('UNSUPPORTED', `${beginning}: there is no emulator for them`, {
      hint: `Install qemu-user-static (Debian, Ubuntu: apt-get install qemu-user-static), ${natively}`,
    });
  }
  return new TbuildError(
    'UNSUPPORTED',
    `${beginning}: their emulator "${emulator}" is not registered, and a step may not register it for itself here (${reason})`,
    {
      hint:
        `That takes Linux 6.7, user namespaces and util-linux 2.39. Otherwise register it for the whole machine, as root: ` +
        `apt-get install qemu-user-binfmt, or docker run --privileged --rm tonistiigi/binfmt --install ${platform.architecture}; ${natively}`,
    },
  );
}
