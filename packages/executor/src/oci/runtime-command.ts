import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { shellQuoted } from '@tbuild/linux';
import { GROUPS } from '../cgroup/group-view.ts';
import { REPORT } from '../process/descriptors.ts';
import { mountCommand, type TreeMount } from '../sandbox/mount-command.ts';

export interface RuntimeCommandOptions {
  /** The path of the runtime. */
  readonly runtime: string;
  /** The bundle; it also takes the runtime's state and log. */
  readonly directory: string;
  readonly id: string;
  /** The number of descriptors after {@link REPORT} and {@link PROGRAM} that the runtime passes on. */
  readonly joinDescriptorCount: number;
  /** A directory that takes the control groups, to hide them from a runtime that refuses them. */
  readonly moveGroups?: string;
  /** The trees to mount before the runtime starts. */
  readonly mounts: readonly TreeMount[];
}

/**
 * Returns the program that mounts a step's trees and becomes the runtime, in mount and pid namespaces of its own. The
 * specification cannot describe overlays, and this way the container ends with the runtime and the runtime with
 * tbuild.
 */
export function runtimeCommand(options: RuntimeCommandOptions): readonly string[] {
  const script = [
    'umask 022',
    '{',
    'mount -t proc proc /proc || exit 125',
    ...(options.moveGroups === undefined
      ? []
      : [`mount --rbind ${GROUPS} ${shellQuoted(options.moveGroups)} && mount -t tmpfs none ${GROUPS} || exit 125`]),
    ...options.mounts.map(mountCommand),
    String.raw`printf '\004' >&2`,
    `} 2>&${REPORT}`,
    `exec ${runtimeArguments(options).map(shellQuoted).join(' ')}`,
  ].join('\n');
  const namespaces = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child'];
  return [...namespaces, 'sh', '-c', script];
}

/** crun refuses a mix of both cgroup versions although it needs none. An empty directory passes as version 1. */
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
