import { readFileSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { Environment } from '../config/environment.ts';

export const ISOLATIONS = ['auto', 'namespace', 'oci', 'chroot'] as const;

/** How RUN steps are contained. */
export type Isolation = (typeof ISOLATIONS)[number];

/** Docker's word for its only choice is understood too. @throws TbuildError USAGE for a word that is none of {@link ISOLATIONS}. */
export function parseIsolation(word = 'auto'): Isolation {
  if (word === 'default') return 'auto';
  const isolation = ISOLATIONS.find((one) => one === word);
  if (isolation !== undefined) return isolation;
  throw new TbuildError('USAGE', `Isolation ${JSON.stringify(word)} is none of ${ISOLATIONS.join(', ')}`);
}

const CAP_SYS_CHROOT = 18n;
const CAP_SYS_ADMIN = 21n;
const CAP_MKNOD = 27n;

/** What keeps RUN steps from being contained by chroot, with what would change it; undefined where they can be. */
export function chrootObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'chroot takes root';
  const missing = Object.entries({ SYS_CHROOT: CAP_SYS_CHROOT, MKNOD: CAP_MKNOD })
    .filter(([, number]) => !hasCapability(number))
    .map(([name]) => name);
  if (missing.length === 0) return undefined;
  return `chroot isolation would take --cap-add ${missing.join(' --cap-add ')}`;
}

/** Which attributes mark opaque directories here: those of the machine's root need its privileges. */
export function flavourOf(env: Environment): OverlayFlavour {
  if (env.inUserNamespace) return 'user';
  return (env.variables.TBUILD_ISOLATION_VERDICT ?? '') === '' || hasCapability(CAP_SYS_ADMIN) ? 'trusted' : 'user';
}

/** Whether a step can be put under a seccomp filter and still gain privileges, as sudo does. */
export function canLoadFilter(): boolean {
  return hasCapability(CAP_SYS_ADMIN);
}

function hasCapability(number: bigint): boolean {
  try {
    const mask = readFileSync('/proc/self/status', 'utf8').match(/^CapEff:\s*([0-9a-f]+)$/m)?.[1] ?? '0';
    return ((BigInt(`0x${mask}`) >> number) & 1n) === 1n;
  } catch {
    return false;
  }
}
