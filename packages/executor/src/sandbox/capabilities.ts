import type { OverlayFlavour } from '@tbuild/snapshot';
import type { Sandbox } from '../executor.ts';

/** The capabilities that Docker leaves to root in a container, by number: the set a80425fb. */
export const DEFAULT_CAPABILITIES = {
  chown: 0,
  dac_override: 1,
  fowner: 3,
  fsetid: 4,
  kill: 5,
  setgid: 6,
  setuid: 7,
  setpcap: 8,
  net_bind_service: 10,
  net_raw: 13,
  sys_chroot: 18,
  mknod: 27,
  audit_write: 29,
  setfcap: 31,
} as const;

/**
 * Returns the capabilities of a confined step, by number: Docker's. Where real root shares the machine's network,
 * NET_RAW is excluded, since it lets a step read other processes' traffic on the loopback interface.
 */
export function stepCapabilities({ network }: Pick<Sandbox, 'network'>, flavour: OverlayFlavour): readonly number[] {
  const shares = flavour === 'trusted' && network === 'host';
  const { net_raw, ...others } = DEFAULT_CAPABILITIES;
  return Object.values(shares ? others : { ...others, net_raw });
}
