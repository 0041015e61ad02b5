import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { GROUPS } from '../cgroup/group-view.ts';
import { mountCommand, quote, type TreeMount } from '../sandbox/mount-command.ts';
import { REPORT } from '../process/descriptors.ts';

export interface RuntimeCommandOptions {
  /** The path of the runtime. */
  readonly runtime: string;
  /** The bundle, which takes the runtime's state and log too. */
  readonly directory: string;
  readonly id: string;
  /** How many descriptors the runtime hands on after {@link REPORT} and {@link PROGRAM}. */
  readonly joinDescriptorCount: number;
  /** A directory that takes the control groups, out of sight of a runtime that refuses them. */
  readonly moveGroups?: string;
  /** What is mounted before the runtime starts. */
  readonly mounts: readonly TreeMount[];
}

/**
 * The program that mounts a step's trees and becomes the runtime, in a mount and a pid namespace of its own: what the
 * specification cannot say, and so that the container ends with the runtime and the runtime with us.
 */
export function runtimeCommand(options: RuntimeCommandOptions): readonly string[] {
  const script = [
    'umask 022',
    '{',
    'mount -t proc proc /proc || exit 125',
    ...(options.moveGroups === undefined
      ? []
      : [`mount --rbind ${GROUPS} ${quote(options.moveGroups)} && mount -t tmpfs none ${GROUPS} || exit 125`]),
    ...options.mounts.map(mountCommand),
    String.raw`printf '\004' >&2`,
    `} 2>&${REPORT}`,
    `exec ${runtimeArguments(options).map(quote).join(' ')}`,
  ].join('\n');
  const namespaces = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child'];
  return [...namespaces, 'sh', '-c', script];
}

/** crun refuses hierarchies of both versions, though it needs none: an empty directory is of the older one. */
export function refusesGroups(runtime: string): boolean {
  return basename(runtime) === 'crun' && existsSync(`${GROUPS}/unified`);
}

function runtimeArguments({ runtime, directory, id, joinDescriptorCount }: RuntimeCommandOptions): string[] {
  const log = basename(runtime) === 'crun' ? `file:${directory}/log` : `${directory}/log`;
  const cgroups = basename(runtime) === 'crun' ? ['--cgroup-manager=disabled'] : [];
  return [
    runtime,
    '--root',
    `${directory}/state`,
    '--log',
    log,
    ...cgroups,
    'run',
    '--preserve-fds',
    String(2 + joinDescriptorCount),
    '--bundle',
    directory,
    id,
  ];
}
