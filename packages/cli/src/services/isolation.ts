import { effectiveCapabilities } from '@tbuild/linux';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { Environment } from '../config/environment.ts';

const CAP_SYS_ADMIN = 21n;

/** What preparing a root file system, entering it and becoming another user there needs. */
const CHROOT_NEEDS = {
  CHOWN: 0n,
  DAC_OVERRIDE: 1n,
  FOWNER: 3n,
  SETGID: 6n,
  SETUID: 7n,
  SETPCAP: 8n,
  SYS_CHROOT: 18n,
  MKNOD: 27n,
};

/** Returns why chroot cannot isolate RUN steps here and what would change that; undefined where it can. */
export function chrootObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'chroot needs root';
  const missing = Object.entries(CHROOT_NEEDS)
    .filter(([, number]) => !hasCapability(number))
    .map(([name]) => name);
  if (missing.length === 0) return undefined;
  return `chroot isolation needs --cap-add ${missing.join(' --cap-add ')}`;
}

/** Returns which extended attributes mark opaque directories here: trusted ones need the privileges of the machine's root. */
export function flavourOf(env: Environment): OverlayFlavour {
  if (env.inUserNamespace) return 'user';
  return (env.variables.TBUILD_ISOLATION_VERDICT ?? '') === '' || hasCapability(CAP_SYS_ADMIN) ? 'trusted' : 'user';
}

/** Returns whether a step under a seccomp filter can still gain privileges, as sudo does. */
export function canLoadFilter(): boolean {
  return hasCapability(CAP_SYS_ADMIN);
}

function hasCapability(number: bigint): boolean {
  return (((effectiveCapabilities() ?? 0n) >> number) & 1n) === 1n;
}
