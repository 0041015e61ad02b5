import { basename } from 'node:path';
import type { Mount } from '@tbuild/snapshot';
import { mountCommand, quote } from '../mount-command.ts';
import { REPORT } from '../sandbox-command.ts';

/** The descriptors that the runtime hands on: the program to execute, and where that reports to. */
export const PROGRAM = 3;
export const REPORT_TO = 4;

export interface RuntimeCommandOptions {
  /** The path of the runtime. */
  readonly runtime: string;
  /** The bundle, which takes the runtime's state and log too. */
  readonly directory: string;
  readonly enter: string;
  readonly id: string;
  /** What is mounted before the runtime starts. */
  readonly mounts: readonly { readonly mount: Mount; readonly target: string }[];
}

/**
 * The program that mounts a step's trees and becomes the runtime, in a mount and a pid namespace of its own: what the
 * specification cannot say, and so that the container ends with the runtime and the runtime with us.
 */
export function runtimeCommand({ runtime, directory, enter, id, mounts }: RuntimeCommandOptions): readonly string[] {
  const script = [
    'umask 022',
    `exec 5>&2 2>&${REPORT}`,
    'mount -t proc proc /proc || exit 125',
    ...(basename(runtime) === 'crun' ? [UNIFIED_CGROUPS] : []),
    ...mounts.map(mountCommand),
    String.raw`printf '\004' >&${REPORT}`,
    `exec ${runtimeArguments(runtime, directory, id).map(quote).join(' ')} ${REPORT_TO}>&${REPORT} ${PROGRAM}< ${quote(enter)} 2>&5 5>&-`,
  ].join('\n');
  const namespaces = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child'];
  return [...namespaces, 'sh', '-c', script];
}

/** crun refuses a hierarchy of both versions, though it needs none: an empty directory is of the older one. */
const UNIFIED_CGROUPS = '[ ! -d /sys/fs/cgroup/unified ] || mount -t tmpfs none /sys/fs/cgroup';

function runtimeArguments(runtime: string, directory: string, id: string): string[] {
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
    '2',
    '--bundle',
    directory,
    id,
  ];
}
