import { basename } from 'node:path';
import type { Mount } from '@tbuild/snapshot';
import { mountCommand, quote } from '../mount-command.ts';
import { REPORT } from '../sandbox-command.ts';

/** The descriptor of the program to execute, which the runtime hands on as it does {@link REPORT}. */
export const PROGRAM = 4;

export interface RuntimeCommandOptions {
  /** The path of the runtime. */
  readonly runtime: string;
  /** The bundle, which takes the runtime's state and log too. */
  readonly directory: string;
  readonly enter: string;
  readonly id: string;
  /** How many descriptors the runtime hands on after {@link PROGRAM}. */
  readonly entrances: number;
  /** What is mounted before the runtime starts. */
  readonly mounts: readonly { readonly mount: Mount; readonly target: string }[];
}

/**
 * The program that mounts a step's trees and becomes the runtime, in a mount and a pid namespace of its own: what the
 * specification cannot say, and so that the container ends with the runtime and the runtime with us.
 */
export function runtimeCommand(options: RuntimeCommandOptions): readonly string[] {
  const { runtime, enter, mounts } = options;
  const script = [
    'umask 022',
    `exec ${PROGRAM}>&2 2>&${REPORT}`,
    'mount -t proc proc /proc || exit 125',
    ...(basename(runtime) === 'crun' ? [UNIFIED_CGROUPS] : []),
    ...mounts.map(mountCommand),
    String.raw`printf '\004' >&${REPORT}`,
    `exec ${runtimeArguments(options).map(quote).join(' ')} 2>&${PROGRAM} ${PROGRAM}< ${quote(enter)}`,
  ].join('\n');
  const namespaces = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child'];
  return [...namespaces, 'sh', '-c', script];
}

/** crun refuses a hierarchy of both versions, though it needs none: an empty directory is of the older one. */
const UNIFIED_CGROUPS = '[ ! -d /sys/fs/cgroup/unified ] || mount -t tmpfs none /sys/fs/cgroup';

function runtimeArguments({ runtime, directory, id, entrances }: RuntimeCommandOptions): string[] {
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
    String(2 + entrances),
    '--bundle',
    directory,
    id,
  ];
}
