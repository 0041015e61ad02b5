import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { makeDeviceDirectory } from './device-directory.ts';
import { type CallMachine, callProgram, type CallProgram, isCallMachine } from './enter/call-program.ts';
import { describe, enterSandbox, readReport } from './enter/enter-sandbox.ts';
import type { Executor, ProcessIO, Sandbox } from './executor.ts';
import { type MountPoints, prepareMountPoints } from './mount-points.ts';
import { openOutputPipe } from './output-pipe.ts';
import { type Ended, runProcess } from './run-process.ts';
import { READY, REPORT, sandboxCommand } from './sandbox-command.ts';
import { MASKED_PATHS, READONLY_PATHS, sandboxMounts } from './sandbox-mounts.ts';
import { defaultFilter } from './seccomp/default-filter.ts';
import { detectAbilities, type MountAbilities } from './tools.ts';

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
interface Machine {
  readonly options: NamespaceExecutorOptions;
  readonly machine: CallMachine;
  readonly abilities: MountAbilities;
  readonly kernelPaths: ReadonlyMap<string, 'file' | 'directory'>;
  readonly lastCapability: number;
  readonly filter: Uint8Array;
}

function describeMachine(options: NamespaceExecutorOptions): Machine {
  const machine = requireMachine();
  mkdirSync(options.runDirectory, { recursive: true, mode: 0o711 });
  requireExecutable(options.runDirectory);
  return {
    options,
    machine,
    abilities: detectAbilities(),
    kernelPaths: findKernelPaths(),
    lastCapability: Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')),
    filter: defaultFilter(machine),
  };
}

function requireMachine(): CallMachine {
  if (isCallMachine(process.arch)) return process.arch;
  throw new TbuildError('UNSUPPORTED', `RUN steps cannot be contained by namespaces on ${process.arch}, only on x64 and arm64`);
}

/** The program that enters a sandbox is made for each step. */
function requireExecutable(directory: string): void {
  const path = join(directory, `probe-${process.pid}`);
  try {
    writeFileSync(path, '', { mode: 0o700 });
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new TbuildError('UNSUPPORTED', `Programs cannot be executed in "${directory}"`, {
      hint: 'Choose a store with --root on a file system that is not mounted noexec',
      cause,
    });
  } finally {
    rmSync(path, { force: true });
  }
}

function findKernelPaths(): Machine['kernelPaths'] {
  const paths = new Map<string, 'file' | 'directory'>();
  for (const path of [...MASKED_PATHS, ...READONLY_PATHS]) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) paths.set(path, stats.isDirectory() ? 'directory' : 'file');
  }
  return paths;
}

async function runInNamespaces(machine: Machine, sandbox: Sandbox, io: ProcessIO, signal: AbortSignal): Promise<{ exitCode: number }> {
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
    return { exitCode: exitCodeOf(ended, { program, sandbox, io }) };
  } finally {
    points?.removeEmpty();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes everything that the set-up reads, and returns the command that starts it. */
function assemble(
  { options, machine, kernelPaths, abilities }: Machine,
  sandbox: Sandbox,
  { points, directory, program }: { points: MountPoints; directory: string; program: CallProgram },
): readonly string[] {
  const [root, devices, enter] = [`${directory}/root`, `${directory}/dev`, `${directory}/enter`];
  mkdirSync(root);
  makeDeviceDirectory(devices);
  writeFileSync(enter, callProgram(machine, program), { mode: 0o700 });
  const steps = sandboxMounts(sandbox, points, { root, devices, kernelPaths, flavour: options.flavour, abilities });
  const { args, files } = sandboxCommand(sandbox, steps, { directory, enter });
  for (const [file, text] of files) writeFileSync(file, text);
  return args;
}

/** The process's own, or what the set-up's report means. */
function exitCodeOf({ exitCode, setup }: Ended, { program, sandbox, io }: { program: CallProgram; sandbox: Sandbox; io: ProcessIO }): number {
  const ready = setup.indexOf(READY);
  if (ready < 0) throw setupFailure(setup.toString().trim());
  const report = setup.subarray(ready + READY.length);
  if (report.length === 0) return exitCode;
  const failure = readReport(program, sandbox.process.args[0] ?? '', report);
  if ('call' in failure) throw setupFailure(`${failure.call.name}: ${describe(failure.errno)}`);
  io.stderr(Buffer.from(failure.message));
  return failure.exitCode;
}

function setupFailure(complaint: string): TbuildError {
  return new TbuildError('PROCESS_FAILED', 'The sandbox of the step could not be set up', {
    cause: new Error(complaint),
    hint: 'tbuild doctor tells what this machine allows',
  });
}
