import { existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createLocks, type Locks } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { registerCommand } from '../emulation/step-handler.ts';
import { enterSandbox } from '../enter/enter-sandbox.ts';
import type { Executor, ProcessIO, Sandbox, StepEnd } from '../executor.ts';
import { type HostDescription, describeHost } from '../machine/describe-host.ts';
import { toolEnvironment } from '../machine/tools.ts';
import { type DisposableExecutor, withMaterialisedTrees } from '../materialised/materialised.ts';
import { PROGRAM, REPORT } from '../process/descriptors.ts';
import type { Launch } from '../process/launch.ts';
import { sendSignal } from '../process/run-process.ts';
import { runStep } from '../process/run-step.ts';
import type { StepSetup } from '../process/step-setup.ts';
import { DEFAULT_CAPABILITIES } from '../sandbox/capabilities.ts';
import { directoriesTo } from '../sandbox/directories-to.ts';
import { defaultFilter } from '../seccomp/default-filter.ts';
import { DENIED_CALLS, TRACING_CALLS } from '../seccomp/denied-calls.ts';
import { encodeSyscallProgram } from '../syscalls/syscall-program.ts';
import { makeDevices } from './devices.ts';
import { Placement } from './placement.ts';
import { placeStaticProc } from './static-proc.ts';
import { supervisorProgram } from './supervisor.ts';

export interface ChrootExecutorOptions {
  /** Created if missing. Trees and steps have directories of their own in it. Processes may share it. */
  readonly runDirectory: string;
  readonly flavour: OverlayFlavour;
  /** Disposes of a directory that is no longer needed. Default: deletes it. */
  readonly discard?: (directory: string) => void;
}

/**
 * Runs steps where neither mounts nor namespaces are allowed, as in a container with Docker's defaults: by chroot
 * into a directory that holds a copy of the tree, with its own /dev, two files in /proc and no /sys. Files outside are out
 * of reach, since a step lacks the capabilities to leave its root or to make devices. Processes and host name
 * are shared, and without SYS_ADMIN the network too.
 */
export function createChrootExecutor(options: ChrootExecutorOptions): DisposableExecutor {
  let machine: Machine | undefined;
  const locks = createLocks();
  const inner: Executor = {
    name: 'chroot',
    run: (sandbox, io, signal) => runInRoot((machine ??= describeMachine(options, locks)), sandbox, { io, signal }),
  };
  return withMaterialisedTrees(inner, options);
}

/** A step can address processes outside by their ids, and a different root directory does not prevent tracing them. */
function describeMachine(options: ChrootExecutorOptions, locks: Locks): Machine {
  const described = describeHost(options.runDirectory);
  const filter = described.filter && defaultFilter(described.machine, { ...DENIED_CALLS, ...TRACING_CALLS });
  return { ...described, filter, options, locks };
}

interface Machine extends HostDescription {
  readonly options: ChrootExecutorOptions;
  /** A writable directory is in one tree at a time. */
  readonly locks: Locks;
}

/**
 * sys_chroot would allow a second chroot that leads out, mknod reading a disk, net_raw reading the traffic of others.
 */
const WITHHELD: readonly string[] = ['sys_chroot', 'mknod', 'net_raw'];
const CAPABILITIES = Object.entries(DEFAULT_CAPABILITIES).flatMap(([name, number]) =>
  WITHHELD.includes(name) ? [] : [number],
);

async function runInRoot(
  machine: Machine,
  sandbox: Sandbox,
  { io, signal }: { io: ProcessIO; signal: AbortSignal },
): Promise<StepEnd> {
  refuseOtherNetworks(sandbox);
  for (const note of [...ignoredSizes(sandbox), ...refusedSudo(machine, sandbox)]) io.stderr(Buffer.from(`${note}\n`));
  const { runDirectory, flavour } = machine.options;
  using _held = await machine.locks.acquire(writableDirectories(sandbox));
  return await runStep({ runDirectory, flavour, sandbox, io, signal }, (place) => {
    const [displaced, secrets] = [join(place.directory, 'displaced'), join(place.directory, 'secrets')];
    mkdirSync(displaced);
    mkdirSync(secrets);
    const placement = new Placement({ root: sandbox.root.upper, displaced, secrets, flavour });
    place.atEnd(() => placement.remove());
    placeAll(placement, sandbox);
    return prepare(machine, sandbox, { ...place, secrets });
  });
}

function refuseOtherNetworks({ network }: Sandbox): void {
  if (network !== 'none') return;
  throw new TbuildError('UNSUPPORTED', 'A step cannot be kept from the network with chroot isolation', {
    hint: 'Run "tbuild doctor" to see what other isolations need',
  });
}

/** Returns messages for sizes that only a mount could limit. */
function ignoredSizes({ shmSize, mounts }: Sandbox): readonly string[] {
  const sized = mounts.flatMap((mount) => (mount.type === 'tmpfs' && mount.size !== undefined ? [mount.target] : []));
  return [...(shmSize === undefined ? [] : ['/dev/shm']), ...sized].map(
    (target) => `The size of ${target} is not limited with chroot isolation`,
  );
}

function placeAll(placement: Placement, { mounts, process }: Sandbox): void {
  for (const name of ['/dev', '/proc', '/sys']) placement.ensureDirectory(name);
  placement.place('/dev', 'directory', (location) => void makeDevices(location));
  placeStaticProc(placement);
  for (const mount of mounts) placement.mount(mount);
  for (const path of directoriesTo(process.cwd)) placement.ensureDirectory(path);
}

/** Writes the programs of the set-up into `directory`. */
function prepare(
  machine: Machine,
  sandbox: Sandbox,
  { directory, joinDescriptors, secrets }: StepSetup & { readonly secrets: string },
): Launch {
  const root = sandbox.root.upper;
  const program = enterSandbox(sandbox, {
    ...machine,
    noNewPrivileges: needsNoNewPrivileges(machine, sandbox),
    reportTo: REPORT,
    joinDescriptors,
    root,
    capabilities: CAPABILITIES,
  });
  const supervisor = `${directory}/supervisor`;
  const supervising = supervisorProgram(`/proc/self/fd/${PROGRAM}`, {
    reportTo: REPORT,
    environment: toolEnvironment(),
    secrets,
    hasTerminal: sandbox.terminal !== undefined,
  });
  writeFileSync(supervisor, encodeSyscallProgram(machine.machine, supervising), { mode: 0o700 });
  const { handler } = sandbox;
  const args =
    handler === undefined
      ? [supervisor]
      : registerCommand([supervisor], { rule: handler, directory, reportTo: REPORT });
  return { args, program, machine: machine.machine, pipes: `${root}/dev`, end: (pid) => sendSignal(pid, 'SIGTERM') };
}

/** CAP_SYS_ADMIN, as a mask. */
const SYS_ADMIN = 1n << 21n;

/** The programs with which a user becomes root. */
const SUDO_PROGRAMS = ['usr/bin/sudo', 'usr/bin/doas', 'bin/doas'];

/**
 * Returns whether the step gains no rights from setuid programs. Without SYS_ADMIN, as in a container with Docker's
 * defaults, a process may load a filter only so.
 */
function needsNoNewPrivileges({ permitted }: Machine, { security }: Sandbox): boolean {
  return (permitted & SYS_ADMIN) === 0n && security === 'sandbox';
}

/** Returns a message for a step whose user would become root by a program of the image, and cannot. */
function refusedSudo(machine: Machine, sandbox: Sandbox): readonly string[] {
  const { root, process } = sandbox;
  if (process.user.uid === 0 || !needsNoNewPrivileges(machine, sandbox)) return [];
  const program = SUDO_PROGRAMS.find((path) => existsSync(join(root.upper, path)));
  if (program === undefined) return [];
  return [
    `${basename(program)} gains no rights in this step, since this container lacks SYS_ADMIN: use USER root, or RUN --security=insecure with --allow security.insecure`,
  ];
}

function writableDirectories({ mounts }: Sandbox): string[] {
  return mounts.flatMap((mount) =>
    mount.type === 'bind' &&
    !mount.readonly &&
    lstatSync(mount.source, { throwIfNoEntry: false })?.isDirectory() !== false
      ? [mount.source]
      : [],
  );
}
