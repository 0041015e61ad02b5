import { mkdirSync, readFileSync } from 'node:fs';
import type { Mount } from '@tbuild/snapshot';
import type { Sandbox, SandboxMount } from '../executor.ts';
import { mountCommand, quote } from '../sandbox/mount-command.ts';
import type { MountPoints } from '../sandbox/mount-points.ts';
import type { StepSetup } from '../process/step-setup.ts';

/** The map of a process in no user namespace. */
const ALL_IDS = /^\s*0\s+0\s+4294967295$/m;
/** One less, which nobody has: by a complete map runtimes would take the namespace for the machine's own. */
const NEARLY_ALL_IDS = '0:0:4294967294';

/** The program that makes a user namespace in which everybody stays who they are, and a mount namespace. Takes util-linux 2.39. */
export function ownUserNamespace(): readonly string[] {
  const ids = ALL_IDS.test(readFileSync('/proc/self/uid_map', 'utf8')) ? NEARLY_ALL_IDS : 'all';
  return ['unshare', '--user', `--map-users=${ids}`, `--map-groups=${ids}`, '--mount'];
}

export interface OwnHandler {
  /** A line for the `register` file of binfmt_misc. */
  readonly rule: string;
  /** An existing directory, where another one is made. */
  readonly directory: string;
  /** The descriptor that takes complaints. */
  readonly reportTo: number;
}

/**
 * A command in a user namespace of its own in which a handler is registered. Since Linux 6.7 each user namespace
 * may have handlers of its own, which nobody else sees and which go with it; those of the machine do not hold in it.
 */
export function registerCommand(
  command: readonly string[],
  { rule, directory, reportTo }: OwnHandler,
): readonly string[] {
  const place = `${directory}/handlers`;
  mkdirSync(place);
  const script = [
    '{',
    `mount -n -t binfmt_misc binfmt_misc ${quote(place)} && printf %s ${quote(rule)} > ${quote(`${place}/register`)}`,
    `} 2>&${reportTo} || exit 125`,
    'exec "$@"',
  ].join('\n');
  return [...ownUserNamespace(), 'sh', '-c', script, 'sh', ...command];
}

/** A sandbox with everything that is known about where its mounts go. */
export interface MountedStep extends StepSetup {
  readonly sandbox: Sandbox;
  readonly points: MountPoints;
}

/** The same step for the inside of a user namespace of its own, and what has to be mounted outside. */
export interface OutsideMounts {
  readonly step: MountedStep;
  /** Mounts the trees and becomes the given command. */
  wrap(command: readonly string[], reportTo: number): readonly string[];
}

/** An overlay keeps the rights of who mounted it, and marks files by attributes that take the machine's root. */
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
