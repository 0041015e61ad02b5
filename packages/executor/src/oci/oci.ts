import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { groupBinds, GROUPS, isUnified, makeGroupDirectory } from '../cgroup/group-view.ts';
import { GROUP_PREFIX, removeRuntimeGroups } from '../cgroup/remove-groups.ts';
import type { MountedStep } from '../emulation/step-handler.ts';
import { enterSandbox } from '../enter/enter-sandbox.ts';
import type { Executor, Sandbox } from '../executor.ts';
import { type HostDescription, describeHost } from '../machine/describe-host.ts';
import { PROGRAM, REPORT } from '../process/descriptors.ts';
import { setupFailure } from '../process/exit-code.ts';
import type { Launch } from '../process/launch.ts';
import { type ExecutorOptions, runMounted } from '../process/run-step.ts';
import { stepCapabilities } from '../sandbox/capabilities.ts';
import { type SyscallProgram, may } from '../syscalls/syscall-program.ts';
import { refusesGroups, runtimeCommand } from './runtime-command.ts';
import { givenCapabilities, runtimeConfig } from './runtime-config.ts';

export interface OciExecutorOptions extends ExecutorOptions {
  /** The path of crun, runc or youki. */
  readonly runtime: string;
}

/**
 * Runs steps with an OCI runtime: a sandbox becomes a `config.json`. The runtime starts a generated program, which
 * loads the filter and executes the step's process. So the filter, messages and exit codes are the same as with the
 * other executors.
 */
export function createOciExecutor(options: OciExecutorOptions): Executor {
  let known: Machine | undefined;
  return {
    name: 'oci',
    run(sandbox, io, signal) {
      const machine = (known ??= { ...describeHost(options.runDirectory), ...options });
      return runMounted({ ...options, sandbox, io, signal }, (step) => prepare(machine, step));
    },
  };
}

type Machine = HostDescription & OciExecutorOptions;

/** Writes the files that the set-up reads into `directory`. */
function prepare(
  described: Machine,
  { sandbox, directory, points, joinDescriptors, groups, needsNodev, atEnd }: MountedStep,
): Launch {
  const { runtime, machine } = described;
  if (needsNodev && basename(runtime) === 'crun') throw noDeviceGuard();
  const flavour = sandbox.handler === undefined ? described.flavour : 'user';
  const permitted = givenCapabilities(described.permitted);
  const program = enterProgram({ ...described, flavour, permitted }, sandbox, joinDescriptors);
  const rootfs = `${directory}/rootfs`;
  mkdirSync(rootfs);
  const mounts = points.mounts.map((placed, index) => {
    if (placed.mount.type === 'overlay') mkdirSync(`${directory}/overlay${index}`);
    return { placed, source: placed.mount.type === 'bind' ? placed.mount.source : `${directory}/overlay${index}` };
  });
  const moveGroups = refusesGroups(runtime) ? makeGroupDirectory(`${directory}/hierarchies`, []) : undefined;
  const seen = groups.map(({ name, source }) => ({ name, source: source.replace(GROUPS, moveGroups ?? GROUPS) }));
  const config = runtimeConfig(sandbox, {
    rootfs,
    mounts,
    groups: groupBinds(makeGroupDirectory(`${directory}/groups`, groups), seen),
    // The runtime creates namespaces before the step joins a group of its own, which would then not be their
    // root.
    ownCgroupNamespace: isUnified(groups) && joinDescriptors.length === 0,
    needsNodev,
    args: [`/proc/self/fd/${PROGRAM}`],
    flavour,
    capabilities: permitted,
  });
  writeFileSync(`${directory}/config.json`, JSON.stringify(config));
  const overlays = mounts.flatMap(({ placed: { mount }, source }) =>
    mount.type === 'overlay' ? [{ mount: mount.mount, target: source }] : [],
  );
  const id = `${GROUP_PREFIX}runtime-${basename(directory)}`;
  atEnd(() => removeRuntimeGroups(id));
  const args = runtimeCommand({
    runtime,
    directory,
    id,
    joinDescriptorCount: joinDescriptors.length,
    moveGroups,
    mounts: [{ mount: sandbox.root.mount, target: rootfs }, ...overlays].map((one) => ({ ...one, needsNodev })),
  });
  return { args, program, machine, check: (exitCode) => checkRuntimeLog(exitCode, `${directory}/log`) };
}

/** Returns the program that enters the sandbox. The runtime would give the output pipes to the user that it starts. */
function enterProgram(machine: Machine, sandbox: Sandbox, joinDescriptors: readonly number[]): SyscallProgram {
  const { uid, gid } = sandbox.process.user;
  const capabilities = stepCapabilities(sandbox, machine.flavour);
  const options = { ...machine, capabilities, reportTo: REPORT, joinDescriptors, root: '/' };
  const { calls, reportTo } = enterSandbox(sandbox, options);
  return { calls: [...OUTPUTS.map((output) => may('fchown', output, uid, gid)), ...calls], reportTo };
}

const OUTPUTS = [1, 2];

/** crun removes `nodev` from the root, and its own filter needs cgroup v2, which is missing here. */
function noDeviceGuard(): TbuildError {
  return new TbuildError('UNSUPPORTED', 'crun cannot keep a step from the devices of this machine without cgroup v2', {
    hint: 'Install runc, or use --isolation namespace',
  });
}

/** Reports the runtime's log, to which it writes only on failure. */
function checkRuntimeLog(exitCode: number, log: string): void {
  if (exitCode === 0) return;
  const output = readOptional(log).trim();
  if (output !== '') throw setupFailure(output);
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
