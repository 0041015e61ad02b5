import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { makeDeviceDirectory } from './device-directory.ts';
import type { Executor, ProcessIO, Sandbox } from './executor.ts';
import { explainFailure } from './explain-failure.ts';
import { type MountPoints, prepareMountPoints } from './mount-points.ts';
import { openOutputPipe } from './output-pipe.ts';
import { runProcess } from './run-process.ts';
import { READY, sandboxCommand } from './sandbox-command.ts';
import { MASKED_PATHS, READONLY_PATHS, sandboxMounts, type SetupStep } from './sandbox-mounts.ts';
import { defaultFilter, isFilterMachine } from './seccomp/default-filter.ts';
import { filterLoader } from './seccomp/filter-loader.ts';
import { detectTools, type Tools } from './tools.ts';

export interface NamespaceExecutorOptions {
  /** Made when missing; each step has a directory of its own in it, removed at its end. Others may use it too. */
  readonly runDirectory: string;
  /** `user` inside a user namespace. */
  readonly flavour: OverlayFlavour;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told once, before the first step, when something is missing that a step can do without. */
  readonly warn?: (message: string) => void;
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
  readonly tools: Tools;
  readonly kernelPaths: ReadonlyMap<string, 'file' | 'directory'>;
  /** The program that loads the seccomp filter. */
  readonly loader?: Uint8Array;
}

function describeMachine(options: NamespaceExecutorOptions): Machine {
  mkdirSync(options.runDirectory, { recursive: true, mode: 0o711 });
  const kernelPaths = new Map<string, 'file' | 'directory'>();
  for (const path of [...MASKED_PATHS, ...READONLY_PATHS]) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) kernelPaths.set(path, stats.isDirectory() ? 'directory' : 'file');
  }
  return { options, tools: detectTools(), kernelPaths, loader: loaderFor(options) };
}

/** Without a filter a step is still contained, so that the lack of one is worth a warning only. */
function loaderFor({ runDirectory, warn }: NamespaceExecutorOptions): Uint8Array | undefined {
  const machine = isFilterMachine(process.arch) ? process.arch : undefined;
  const executes = machine !== undefined && mayExecuteIn(runDirectory);
  if (machine !== undefined && executes) return filterLoader(machine, defaultFilter(machine));
  const reason = machine === undefined ? `there is none for ${process.arch}` : `${runDirectory} is mounted noexec`;
  warn?.(`RUN steps run without seccomp filter: ${reason}`);
  return undefined;
}

function mayExecuteIn(directory: string): boolean {
  const path = join(directory, `probe-${process.pid}`);
  try {
    writeFileSync(path, '', { mode: 0o700 });
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (errnoName(error) === 'EACCES') return false;
    throw error;
  } finally {
    rmSync(path, { force: true });
  }
}

async function runInNamespaces(
  machine: Machine,
  sandbox: Sandbox,
  io: ProcessIO,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number }> {
  if (signal.aborted) throw new TbuildError('CANCELLED', 'The step was cancelled');
  const { runDirectory, flavour, now } = machine.options;
  const directory = mkdtempSync(join(runDirectory, 'step-'));
  let points: MountPoints | undefined;
  try {
    points = prepareMountPoints(sandbox, { flavour, now: now() });
    const args = assemble(machine, sandbox, { points, directory });
    const failure = explainFailure(sandbox.process.args, io);
    using stdout = openOutputPipe(`${directory}/stdout`, sandbox.process.user);
    using stderr = openOutputPipe(`${directory}/stderr`, sandbox.process.user);
    const ended = await runProcess(args, { io: failure.io, stdout, stderr, signal });
    if (!ended.setup.endsWith(READY)) throw setupFailure(ended.setup);
    failure.finish(ended.exitCode);
    return { exitCode: ended.exitCode };
  } finally {
    points?.removeEmpty();
    rmSync(directory, { recursive: true, force: true });
  }
}

function assemble(
  { options, tools, kernelPaths, loader }: Machine,
  sandbox: Sandbox,
  { points, directory }: { points: MountPoints; directory: string },
): readonly string[] {
  const root = `${directory}/root`;
  const devices = `${directory}/dev`;
  mkdirSync(root);
  makeDeviceDirectory(devices);
  const place = { root, devices, kernelPaths, flavour: options.flavour, abilities: tools.abilities };
  const steps: readonly SetupStep[] = sandboxMounts(sandbox, points, place);
  const loaderPath = loader && `${directory}/seccomp`;
  const { args, files } = sandboxCommand(sandbox, steps, { directory, ...tools, filterLoader: loaderPath });
  if (loaderPath !== undefined && loader !== undefined) writeFileSync(loaderPath, loader, { mode: 0o700 });
  for (const [file, text] of files) writeFileSync(file, text);
  return args;
}

function setupFailure(complaint: string): TbuildError {
  return new TbuildError('PROCESS_FAILED', 'The sandbox of the step could not be set up', {
    cause: new Error(complaint),
    hint: 'tbuild doctor tells what this machine allows',
  });
}
