import { shellQuoted } from '@tbuild/linux';
import type { Sandbox } from '../executor.ts';
import { PROGRAM, REPORT } from '../process/descriptors.ts';
import { OPTION_LIMIT } from '../sandbox/overlay-options.ts';
import type { MakeMountPoint, SetupStep } from '../sandbox/sandbox-mounts.ts';
import { fstabText, type MountEntry } from './fstab.ts';

export interface CommandPlace {
  /** A directory for the mount tables. */
  readonly directory: string;
}

/** A program to start, and the files that it reads. */
export interface SandboxCommand {
  readonly args: readonly string[];
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Returns the program that sets up a sandbox and becomes its process. `setpriv` ties it to tbuild's life, `unshare`
 * creates the namespaces and forks pid 1, `sh` mounts everything by one `mount --all`, and `enter` (descriptor {@link
 * PROGRAM}) enters the root and executes the process. Only `enter` knows the step's environment.
 *
 * {@link REPORT} receives error output, then READY, then the report of `enter`.
 */
export function sandboxCommand(sandbox: Sandbox, steps: readonly SetupStep[], place: CommandPlace): SandboxCommand {
  const { commands, files } = setupCommands(steps, place.directory);
  const script = [
    'umask 022',
    '{',
    ...commands,
    `{ echo ${shellQuoted(sandbox.hostname)} > /proc/sys/kernel/hostname; } 2> /dev/null || hostname ${shellQuoted(sandbox.hostname)}`,
    ...(sandbox.network === 'none' ? [LOOPBACK_UP] : []),
    String.raw`printf '\004' >&2`,
    `} 2>&${REPORT}`,
    `exec /proc/self/fd/${PROGRAM}`,
  ].join('\n');
  return { args: [...namespaces(sandbox), 'sh', '-c', script], files };
}

/** Best effort: bringing an interface up needs programs that a minimal system may lack. */
const LOOPBACK_UP = 'ip link set lo up 2> /dev/null || ifconfig lo up 2> /dev/null || :';

function namespaces({ network }: Sandbox): string[] {
  const net = network === 'none' ? ['--net'] : [];
  return [
    'setpriv',
    '--pdeathsig',
    'KILL',
    '--inh-caps=-all',
    'unshare',
    '--mount',
    '--pid',
    '--ipc',
    '--uts',
    ...net,
    '--fork',
    '--kill-child',
  ];
}

/** Consecutive mounts share one table, unless one needs another directory, another system call or a mount point. */
function setupCommands(
  steps: readonly SetupStep[],
  directory: string,
): { commands: string[]; files: Map<string, string> } {
  const commands: string[] = [];
  const files = new Map<string, string>();
  for (const group of groupSteps(steps)) {
    const [first] = group;
    if (first === undefined) continue;
    if ('make' in first) {
      commands.push(makeCommand(first));
      continue;
    }
    const table = group.filter((step): step is MountEntry => !('make' in step));
    const file = `${directory}/fstab${files.size}`;
    files.set(file, fstabText(table));
    commands.push(...mountCommands(table, file));
  }
  return { commands, files };
}

function groupSteps(steps: readonly SetupStep[]): SetupStep[][] {
  const groups: SetupStep[][] = [];
  for (const step of steps) {
    const group = groups.at(-1);
    const first = group?.[0];
    if (group !== undefined && first !== undefined && belongTogether(first, step)) group.push(step);
    else groups.push([step]);
  }
  return groups;
}

/** An overlay starts a table: its directory and system call apply to the entries that follow. */
function belongTogether(first: SetupStep, step: SetupStep): boolean {
  if ('make' in first || 'make' in step) return false;
  return step.directory === undefined && needsOldCall(first) === needsOldCall(step);
}

function mountCommands(table: readonly MountEntry[], file: string): string[] {
  const [first] = table;
  const environment = first !== undefined && needsOldCall(first) ? 'LIBMOUNT_FORCE_MOUNT2=always ' : '';
  const enter = first?.directory === undefined ? [] : [`cd ${shellQuoted(first.directory)} || exit 125`];
  return [...enter, `${environment}mount -n -a --fstab ${shellQuoted(file)} || exit 125`];
}

/** mount(2) takes a page of options, but drops flags of a read-only bind that a user namespace must keep. */
function needsOldCall({ options }: MountEntry): boolean {
  return options.some((option) => Buffer.byteLength(option) > OPTION_LIMIT);
}

/** Creates it element by element, since a symbolic link in an earlier mount would lead out of the tree. */
function makeCommand({ make, within, path }: MakeMountPoint): string {
  const elements = path.slice(within.length + 1).split('/');
  const checks = elements.map((_, index) => {
    const element = shellQuoted([within, ...elements.slice(0, index + 1)].join('/'));
    const create = make === 'file' && index === elements.length - 1 ? `: >> ${element}` : `mkdir ${element}`;
    return `[ ! -L ${element} ] && { [ -e ${element} ] || ${create}; }`;
  });
  return `{ ${checks.join(' && ')}; } || { echo ${shellQuoted(`Cannot make mount point ${path}`)} >&2; exit 125; }`;
}
