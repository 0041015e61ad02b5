import { mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { openUnnamedFile, removeTree } from '@tbuild/linux';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { makeStepGroups } from '../cgroup/step-groups.ts';
import { type MountedStep, mountTreesOutside, registerCommand } from '../emulation/step-handler.ts';
import type { ProcessIO, Sandbox, StepEnd } from '../executor.ts';
import { countKills, machineMemory } from '../machine/memory.ts';
import { joinNetwork } from '../network/join-network.ts';
import { prepareMountPoints } from '../sandbox/mount-points.ts';
import { requireWritableOverlays } from '../sandbox/work-directories.ts';
import { encodeSyscallProgram } from '../syscalls/syscall-program.ts';
import { FIRST_JOIN_DESCRIPTOR, REPORT } from './descriptors.ts';
import { endOf, type ProcessEnd } from './exit-code.ts';
import type { Launch } from './launch.ts';
import { openOutputPipe } from './output-pipe.ts';
import { runProcess } from './run-process.ts';
import type { StepSetup } from './step-setup.ts';

/** The options of every executor that mounts. */
export interface ExecutorOptions {
  /** Created if missing. Each step has a directory in it, which is removed at its end. Processes may share it. */
  readonly runDirectory: string;
  /** `user` inside a user namespace. */
  readonly flavour: OverlayFlavour;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface StepRun {
  readonly runDirectory: string;
  readonly flavour: OverlayFlavour;
  readonly sandbox: Sandbox;
  readonly io: ProcessIO;
  readonly signal: AbortSignal;
}

/**
 * Runs a step in a directory of its own and removes everything afterwards. `prepare` does what differs between
 * isolations.
 *
 * @throws TbuildError PROCESS_FAILED if the set-up failed, CANCELLED on abort.
 */
export async function runStep(
  { runDirectory, flavour, sandbox, io, signal }: StepRun,
  prepare: (place: StepSetup) => Launch,
): Promise<StepEnd> {
  if (signal.aborted) throw new TbuildError('CANCELLED', 'The step was cancelled');
  const directory = mkdtempSync(join(runDirectory, 'step-'));
  const undos: (() => void)[] = [];
  try {
    await using groups = await makeStepGroups(basename(directory), sandbox, { guardsDevices: flavour === 'trusted' });
    const { joinFiles, needsNodev, visible } = groups;
    const descriptors = joinFiles.map((_, index) => FIRST_JOIN_DESCRIPTOR + index);
    const atEnd = (undo: () => void): void => void undos.push(undo);
    const launch = prepare({ directory, joinDescriptors: descriptors, groups: visible, needsNodev, atEnd });
    const killsBefore = countKills();
    const { largestProcess, ...end } = await launchStep(launch, { directory, sandbox, io, signal, joinFiles });
    const machineRanOut = end.exitCode === 0 || killsBefore === undefined ? undefined : countKills() !== killsBefore;
    return { ...end, memory: { ...groups.memory(), machine: machineMemory(), machineRanOut, largestProcess } };
  } finally {
    for (const undo of undos.reverse()) undo();
    removeTree(directory);
  }
}

async function launchStep(
  prepared: Launch,
  {
    directory,
    sandbox,
    io,
    signal,
    joinFiles,
  }: Omit<StepRun, 'runDirectory' | 'flavour'> & { directory: string; joinFiles: readonly string[] },
): Promise<ProcessEnd> {
  const { terminal } = sandbox;
  const { user, args: command } = sandbox.process;
  const first = FIRST_JOIN_DESCRIPTOR + joinFiles.length;
  using joined = joinNetwork(prepared, { network: sandbox.network, first, directory });
  const { args, program, setsUp = false, machine, pipes, end, check } = joined.launch;
  using stdout = openOutputPipe(user, pipes && `${pipes}/stdout`);
  using stderr = openOutputPipe(user, pipes && `${pipes}/stderr`);
  // The program contains the step's environment, including secrets. The step's user may be the one who executes it.
  using executable = openUnnamedFile(`${directory}/enter`, encodeSyscallProgram(machine, program), 0o755);
  const outputs = { io, stdout, stderr, terminal };
  const descriptors = { program: executable.fd, joinFiles, more: joined.descriptors };
  const ended = await runProcess(args, { ...outputs, ...descriptors, signal, end });
  check?.(ended.exitCode);
  return endOf(ended, { program, setsUp, args: command, io });
}

/**
 * The same as {@link runStep} for isolations that mount. It creates the mount points in the tree and removes them
 * afterwards.
 */
export async function runMounted(
  { now, ...run }: StepRun & ExecutorOptions,
  prepare: (step: MountedStep) => Launch,
): Promise<StepEnd> {
  const { sandbox, flavour } = run;
  const end = await runStep(run, (place) => {
    const points = prepareMountPoints(sandbox, { flavour, now: now() });
    place.atEnd(() => points.removeEmpty());
    const mounted = { ...place, sandbox, points };
    return sandbox.handler === undefined ? prepare(mounted) : withHandler(sandbox.handler, mounted, prepare);
  });
  requireWritableOverlays(sandbox);
  return end;
}

function withHandler(rule: string, mounted: MountedStep, prepare: (step: MountedStep) => Launch): Launch {
  const { step, wrap } = mountTreesOutside(mounted);
  const launch = prepare(step);
  const { directory } = mounted;
  return { ...launch, args: wrap(registerCommand(launch.args, { rule, directory, reportTo: REPORT }), REPORT) };
}
