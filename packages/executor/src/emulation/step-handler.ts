import { mkdirSync, readFileSync } from 'node:fs';
import { shellQuoted } from '@tbuild/linux';
import type { Mount } from '@tbuild/snapshot';
import type { Sandbox, SandboxMount } from '../executor.ts';
import type { StepSetup } from '../process/step-setup.ts';
import { mountCommand } from '../sandbox/mount-command.ts';
import type { MountPoints } from '../sandbox/mount-points.ts';

/** The id map of a process outside user namespaces. */
const ALL_IDS = /^\s*0\s+0\s+4294967295$/m;
/** One id less, which nobody has: with a complete map, runtimes would take the namespace for the initial one. */
const NEARLY_ALL_IDS = '0:0:4294967294';

/**
 * Returns the command that creates a user namespace in which everybody keeps their ids, and a mount namespace. Needs
 * util-linux 2.39.
 */
export function ownUserNamespace(): readonly string[] {
  const ids = ALL_IDS.test(readFileSync('/proc/self/uid_map', 'utf8')) ? NEARLY_ALL_IDS : 'all';
  return ['unshare', '--user', `--map-users=${ids}`, `--map-groups=${ids}`, '--mount'];
}

export interface StepHandler {
  /** A line for the `register` file of binfmt_misc. */
  readonly rule: string;
  /** An existing directory, where another one is made. */
  readonly directory: string;
  /** The descriptor for error output. */
  readonly reportTo: number;
}

/**
 * Wraps a command in a user namespace of its own with a registered handler. Since Linux 6.7 each user namespace may
 * have private handlers; those of the machine do not apply in it.
 */
export function registerCommand(
  command: readonly string[],
  { rule, directory, reportTo }: StepHandler,
): readonly string[] {
  const place = `${directory}/handlers`;
  mkdirSync(place);
  const script = [
    '{',
    `mount -n -t binfmt_misc binfmt_misc ${shellQuoted(place)} && printf %s ${shellQuoted(rule)} > ${shellQuoted(`${place}/register`)}`,
    `} 2>&${reportTo} || exit 125`,
    'exec "$@"',
  ].join('\n');
  return [...ownUserNamespace(), 'sh', '-c', script, 'sh', ...command];
}

/** A step with its resolved mounts. */
export interface MountedStep extends StepSetup {
  readonly sandbox: Sandbox;
  readonly points: MountPoints;
}

/** A step for the inside of its own user namespace, and the mounts that must be made outside. */
export interface OutsideMounts {
  readonly step: MountedStep;
  /** Returns the command that mounts the trees and becomes the given command. */
  wrap(command: readonly string[], reportTo: number): readonly string[];
}

/**
 * Mounts overlays outside the user namespace: an overlay keeps the rights of its mounter and uses attributes that
 * take real root.
 */
export function mountTreesOutside(mounted: MountedStep): OutsideMounts {
  const { sandbox, directory, points } = mounted;
  const trees: { mount: Mount; target: string }[] = [];
  const shown = (mount: Mount): string => {
    const target = `${directory}/tree${trees.length}`;
    mkdirSync(target);
    trees.push({ mount, target });
    return target;
  };
  const root = shown(sandbox.root.mount);
  const mounts = points.mounts.map((placed) => ({ ...placed, mount: asBind(placed.mount, shown) }));
  return {
    step: {
      ...mounted,
      sandbox: { ...sandbox, root: { ...sandbox.root, mount: bindOf(root) } },
      points: { ...points, mounts },
    },
    wrap(command, reportTo) {
      const mounting = trees.map((tree) => `{ ${mountCommand(tree)}; } 2>&${reportTo}`);
      const script = ['umask 022', ...mounting, 'cd /', 'exec "$@"'].join('\n');
      return ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', 'sh', '-c', script, 'sh', ...command];
    },
  };
}

function asBind(mount: SandboxMount, shown: (mount: Mount) => string): SandboxMount {
  if (mount.type !== 'overlay') return mount;
  return { type: 'bind', source: shown(mount.mount), target: mount.target, readonly: false };
}

function bindOf(path: string): Mount {
  return { type: 'bind', source: path, options: ['bind'], directory: path };
}
