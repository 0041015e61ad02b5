import { accessSync, constants } from 'node:fs';
import { findTool } from '@tbuild/executor';
import type { Finding } from './finding.ts';

/**
 * Finds what steps reach of the machine's network, and how to give them one of their own. `hasNamespaces` is false with
 * chroot.
 */
export function network({ hasNamespaces }: { readonly hasNamespaces: boolean }): readonly Finding[] {
  const own = pasta();
  const shared: Finding = {
    name: 'network of RUN',
    state: 'limited',
    detail: 'shared with this machine: steps reach services on its loopback addresses and its abstract sockets',
    fix: hasNamespaces ? fixFor(own) : 'See the isolation above',
  };
  return [shared, own];
}

function fixFor({ state }: Finding): string {
  return state === 'good' ? 'Use --network pasta or --network none' : 'Use --network none, or see pasta below';
}

function pasta(): Finding {
  const name = 'pasta';
  const path = findTool('pasta');
  if (path === undefined)
    return { name, state: 'limited', detail: 'none, so that --network pasta cannot be used', fix: 'apt install passt' };
  if (isAccessible('/dev/net/tun')) return { name, state: 'good', detail: `${path}, for --network pasta` };
  return {
    name,
    state: 'limited',
    detail: '/dev/net/tun cannot be opened, so that --network pasta cannot be used',
    fix: 'chmod 666 /dev/net/tun (as root); for a container: --device /dev/net/tun',
  };
}

function isAccessible(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
