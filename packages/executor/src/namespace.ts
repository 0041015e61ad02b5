import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { makeDeviceDirectory } from './device-directory.ts';
import { isUnified, makeGroupDirectory } from './cgroup/group-view.ts';
import { describeCallMachine, type CallMachineDescription } from './call-machine.ts';
import { enterSandbox } from './enter/enter-sandbox.ts';
import { type MountedStep, ownUserNamespace } from './emulation/own-handler.ts';
import type { Executor } from './executor.ts';
import { type ExecutorOptions, type Launch, runMounted } from './run-step.ts';
import { REPORT, sandboxCommand } from './sandbox-command.ts';
import { MASKED_PATHS, READONLY_PATHS, sandboxMounts } from './sandbox-mounts.ts';
import { canMountProc, detectAbilities, type MountAbilities } from './tools.ts';

/**
 * Runs steps with the programs of util-linux and coreutils: every step in mount, pid, ipc and uts namespaces
 * of its own. Nothing is mounted outside of them, and everything in them ends with this process. To be used
 * from the main thread: a step dies with the thread that started it.
 */
export function createNamespaceExecutor(options: ExecutorOptions): Executor {
  const { runDirectory, flavour } = options;
  const ours = once(() => describeMachine(runDirectory, flavour === 'user' ? 'ours' : 'none'));
  const ofStep = once(() => describeMachine(runDirectory, 'of the step'));
  return {
    name: 'namespace',
    run(sandbox, io, signal) {
      const machine = sandbox.handler === undefined ? ours() : ofStep();
      return runMounted({ ...options, sandbox, io, signal }, (step) => prepare(machine, step));
    },
  };
}

/** What stays the same from step to step. */
interface Machine extends CallMachineDescription {
  readonly flavour: OverlayFlavour;
  readonly abilities: MountAbilities;
  readonly kernelPaths: ReadonlyMap<string, 'file' | 'directory'>;
  readonly proc: 'fresh' | 'own';
}

/** Which user namespace steps are set up in besides the machine's: tbuild's own, or one that each makes. */
function describeMachine(runDirectory: string, userNamespace: 'none' | 'ours' | 'of the step'): Machine {
  const within = userNamespace === 'of the step' ? ownUserNamespace() : [];
  return {
    ...describeCallMachine(runDirectory),
    flavour: userNamespace === 'none' ? 'trusted' : 'user',
    abilities: detectAbilities(),
    kernelPaths: findKernelPaths(),
    // Only inside a user namespace is it ever refused.
    proc: userNamespace === 'none' || canMountProc(within) ? 'fresh' : 'own',
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function findKernelPaths(): Machine['kernelPaths'] {
  const paths = new Map<string, 'file' | 'directory'>();
  for (const path of [...MASKED_PATHS, ...READONLY_PATHS]) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) paths.set(path, stats.isDirectory() ? 'directory' : 'file');
  }
  return paths;
}

/** Writes everything that the set-up reads into `directory`. */
function prepare(
  { flavour, machine, kernelPaths, abilities, proc, ...description }: Machine,
  { sandbox, directory, points, entrances, groups, unguarded }: MountedStep,
): Launch {
  const ownGroups = isUnified(groups);
  const program = enterSandbox(sandbox, { ...description, reportTo: REPORT, entrances, ownGroups });
  const [root, devices] = [`${directory}/root`, `${directory}/dev`];
  mkdirSync(root);
  const groupDirectory = makeGroupDirectory(`${directory}/groups`, groups);
  const boundDevices = makeDeviceDirectory(devices, { nodes: flavour === 'trusted' && !unguarded });
  const { setsGroups } = description;
  const place = {
    root,
    devices,
    boundDevices,
    groupDirectory,
    groups,
    unguarded,
    kernelPaths,
    flavour,
    abilities,
    proc,
    setsGroups,
  };
  const { args, files } = sandboxCommand(sandbox, sandboxMounts(sandbox, points, place), { directory });
  for (const [file, text] of files) writeFileSync(file, text);
  return { args, program, machine };
}
