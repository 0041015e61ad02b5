import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** True for root, who may start daemons and switch users. */
export const isRoot = process.getuid?.() === 0;

/** True when `name` is a program on the usual paths. */
export function hasProgram(name: string): boolean {
  return ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether tests against Docker can run here; without it they are skipped, and the set-up has said what is missing. */
export const canRunDocker = isRoot && hasProgram('dockerd') && hasProgram('docker');
export const canRunPodman = isRoot && hasProgram('podman');
export const canRunRegistry = hasProgram('docker-registry');
export const canSwitchUser = isRoot && hasProgram('setpriv');
