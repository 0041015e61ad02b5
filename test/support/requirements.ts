import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { TestOptions } from 'vitest';

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

/** Whether tests against Docker can run here. */
export const canRunDocker = isRoot && hasProgram('dockerd') && hasProgram('docker');
export const canRunPodman = isRoot && hasProgram('podman');
export const canRunRegistry = hasProgram('docker-registry');
export const canSwitchUser =
  isRoot && hasProgram('setpriv') && /^tbuild-test:/m.test(readFileSync('/etc/passwd', 'utf8'));
/** Whether tests can let the kernel run arm64 programs. */
export const canRegisterArm64 = isRoot && process.arch === 'x64' && hasProgram('qemu-aarch64-static');

/** The requirements of a test besides Node: one of these, or the name of a program. */
const REQUIREMENTS: Readonly<Record<string, Requirement>> = {
  root: { met: isRoot, lacks: 'root' },
  user: { met: canSwitchUser, lacks: 'root with setpriv and the user of fixtures/setup.sh' },
  docker: { met: canRunDocker, lacks: 'root with dockerd and docker' },
  podman: { met: canRunPodman, lacks: 'root with podman' },
  registry: { met: canRunRegistry, lacks: 'docker-registry' },
  containerd: { met: isRoot && hasProgram('containerd') && hasProgram('ctr'), lacks: 'root with containerd and ctr' },
  arm64: {
    met: canRegisterArm64,
    lacks: 'root with qemu-aarch64-static on amd64',
  },
  ext4: mountable('ext4'),
  xfs: mountable('xfs'),
  btrfs: mountable('btrfs'),
  fuse: {
    met: isRoot && hasProgram('bindfs') && existsSync('/dev/fuse'),
    lacks: 'root with bindfs and /dev/fuse',
  },
};

/** A file system that root can make in a file and mount, which the kernel has or loads as a module. */
function mountable(name: string): Requirement {
  const isInKernel =
    new RegExp(`^\\s${name}$`, 'm').test(readFileSync('/proc/filesystems', 'utf8')) ||
    existsSync(`/lib/modules/${release()}/kernel/fs/${name}`);
  return {
    met: isRoot && hasProgram(`mkfs.${name}`) && isInKernel,
    lacks: `root with mkfs.${name} and a kernel with ${name}`,
  };
}

/** Something that a machine has or lacks. */
export interface Requirement {
  readonly met: boolean;
  /** The missing requirement, for the list at the end of the run. */
  readonly lacks: string;
}

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test or suite is skipped. */
    lacks?: string;
  }
}

/**
 * Returns the options of a test or suite with requirements: it is skipped where one is missing, for a reason that
 * `skip-reporter.ts` prints. A name that is not in the table is that of a program.
 */
export function needs(...requirements: readonly (string | Requirement)[]): TestOptions {
  const lacking = requirements.map(requirementOf).filter(({ met }) => !met);
  if (lacking.length === 0) return {};
  return { skip: true, meta: { lacks: lacking.map(({ lacks }) => lacks).join('; ') } };
}

function requirementOf(requirement: string | Requirement): Requirement {
  if (typeof requirement !== 'string') return requirement;
  return REQUIREMENTS[requirement] ?? { met: hasProgram(requirement), lacks: requirement };
}
