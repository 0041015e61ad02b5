import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { makeDeviceDirectory } from './device-directory.ts';
import { describeCallMachine, type CallMachineDescription } from './call-machine.ts';
import { callProgram, type CallProgram } from './enter/call-program.ts';
import { enterSandbox } from './enter/enter-sandbox.ts';
import { exitCodeOf } from './exit-code.ts';
import type { Executor, ProcessIO, Sandbox } from './executor.ts';
import { type MountPoints, prepareMountPoints } from './mount-points.ts';
import { openOutputPipe } from './output-pipe.ts';
import { runProcess } from './run-process.ts';
import { REPORT, sandboxCommand } from './sandbox-command.ts';
import { MASKED_PATHS, READONLY_PATHS, sandboxMounts } from './sandbox-mounts.ts';
import { canMountProc, detectAbilities, type MountAbilities } from './tools.ts';

export interface NamespaceExecutorOptions {
  /** Made when missing; each step has a directory of its own in it, removed at its end. Others may use it too. */
  readonly runDirectory: string;
  /** `user` inside a user namespace. */
  readonly flavour: OverlayFlavour;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Runs steps with the programs of util-linux and coreutils: every step in mount, pid, ipc and uts namespaces
 * of its own. Nothing is mounted outside of them, and everything in them ends with this process. To be used
 * from the main thread: a step dies with the thread that started it.
 */
export function createNamespaceExecutor(options: NamespaceExecutorOptions): Executor {
  let machine: Machine | undefined;
  return {
    name: 'namespace',
    run: (sandbox, io, signal) => runInNamespaces((machine ??= describeMachine(options)), sandbox, io, signal),
  };
}

/** What stays the same from step to step. */
interface Machine extends CallMachineDescription {
  readonly options: NamespaceExecutorOptions;
  readonly abilities: MountAbilities;
  readonly kernelPaths: ReadonlyMap<string, 'file' | 'directory'>;
  readonly proc: 'fresh' | 'own';
}

function describeMachine(options: NamespaceExecutorOptions): Machine {
  return {
    ...describeCallMachine(options.runDirectory),
    options,
    abilities: detectAbilities(),
    kernelPaths: findKernelPaths(),
    // Only inside a user namespace is it ever refused.
    proc: options.flavour === 'trusted' || canMountProc() ? 'fresh' : 'own',
  };
}

function findKernelPaths(): Machine['kernelPaths'] {
  const paths = new Map<string, 'file' | 'directory'>();
  for (const path of [...MASKED_PATHS, ...READONLY_PATHS]) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) paths.set(path, stats.isDirectory() ? 'directory' : 'file');
  }
  return paths;
}

async function runInNamespaces(
  machine: Machine,
  sandbox: Sandbox,
  io: ProcessIO,
  signal: AbortSignal,
): Promise<{ exitCode: number }> {
  if (signal.aborted) throw new TbuildError('CANCELLED', 'The step was cancelled');
  const { runDirectory, flavour, now } = machine.options;
  const directory = mkdtempSync(join(runDirectory, 'step-'));
  let points: MountPoints | undefined;
  try {
    points = prepareMountPoints(sandbox, { flavour, now: now() });
    const program = enterSandbox(sandbox, { ...machine, reportTo: REPORT });
    const args = assemble(machine, sandbox, { points, directory, program });
    using stdout = openOutputPipe(`${directory}/stdout`, sandbox.process.user);
    using stderr = openOutputPipe(`${directory}/stderr`, sandbox.process.user);
    const ended = await runProcess(args, { io, stdout, stderr, signal });
    return { exitCode: exitCodeOf(ended, { program, args: sandbox.process.args, io }) };
  } finally {
    points?.removeEmpty();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes everything that the set-up reads, and returns the command that starts it. */
function assemble(
  { options, machine, kernelPaths, abilities, proc, setsGroups }: Machine,
  sandbox: Sandbox,
  { points, directory, program }: { points: MountPoints; directory: string; program: CallProgram },
): readonly string[] {
  const [root, devices, enter] = [`${directory}/root`, `${directory}/dev`, `${directory}/enter`];
  mkdirSync(root);
  makeDeviceDirectory(devices);
  writeFileSync(enter, callProgram(machine, program), { mode: 0o700 });
  const steps = sandboxMounts(sandbox, points, {
    root,
    devices,
    kernelPaths,
    flavour: options.flavour,
    abilities,
    proc,
    setsGroups,
  });
  const { args, files } = sandboxCommand(sandbox, steps, { directory, enter });
  for (const [file, text] of files) writeFileSync(file, text);
  return args;
}
