import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { CallProgram } from './enter/call-program.ts';
import { exitCodeOf } from './exit-code.ts';
import type { ProcessIO, Sandbox } from './executor.ts';
import { type MountedStep, mountTreesOutside, registerCommand } from './emulation/own-handler.ts';
import { prepareMountPoints } from './mount-points.ts';
import { openOutputPipe } from './output-pipe.ts';
import { runProcess } from './run-process.ts';
import { REPORT } from './sandbox-command.ts';

/** What every executor that mounts is told. */
export interface ExecutorOptions {
  /** Made when missing; each step has a directory of its own in it, removed at its end. Others may use it too. */
  readonly runDirectory: string;
  /** `user` inside a user namespace. */
  readonly flavour: OverlayFlavour;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** How a step is started and ended, once everything that it needs lies ready. */
export interface Launch {
  /** The set-up, which becomes the step's process. Its descriptor 3 takes READY after what it complains about. */
  readonly args: readonly string[];
  /** The last program of the set-up. */
  readonly program: CallProgram;
  /** A directory where the pipes of the output stay in sight of the step; absent: they have no name. */
  readonly pipes?: string;
  /** Asks the set-up to end everything; when absent, pid 1 of its namespace is killed. */
  readonly end?: (pid: number) => void;
  /** @throws TbuildError PROCESS_FAILED when something else than the step ended with this exit code. */
  readonly check?: (exitCode: number) => void;
}

export interface StepRun {
  readonly runDirectory: string;
  readonly sandbox: Sandbox;
  readonly io: ProcessIO;
  readonly signal: AbortSignal;
}

/** Makes a step ready in an empty directory of its own; what it hands to `atEnd` is done when all processes are gone. */
export type PrepareStep = (directory: string, atEnd: (undo: () => void) => void) => Launch;

/**
 * Runs a step from its directory to its exit code; nothing of it remains. What differs between isolations is in `prepare`.
 *
 * @throws TbuildError PROCESS_FAILED when the set-up failed, CANCELLED on abort.
 */
export async function runStep(
  { runDirectory, sandbox, io, signal }: StepRun,
  prepare: PrepareStep,
): Promise<{ exitCode: number }> {
  if (signal.aborted) throw new TbuildError('CANCELLED', 'The step was cancelled');
  const directory = mkdtempSync(join(runDirectory, 'step-'));
  const undos: (() => void)[] = [];
  try {
    const { args, program, pipes, end, check } = prepare(directory, (undo) => undos.push(undo));
    const { user } = sandbox.process;
    using stdout = openOutputPipe(`${pipes ?? directory}/stdout`, user, { keep: pipes !== undefined });
    using stderr = openOutputPipe(`${pipes ?? directory}/stderr`, user, { keep: pipes !== undefined });
    const ended = await runProcess(args, { io, stdout, stderr, signal, end });
    check?.(ended.exitCode);
    return { exitCode: exitCodeOf(ended, { program, args: sandbox.process.args, io }) };
  } finally {
    for (const undo of undos.reverse()) undo();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** {@link runStep} for isolations that mount: makes the mount points in the tree, and takes them away again. */
export function runMounted(
  { flavour, now, ...run }: StepRun & ExecutorOptions,
  prepare: (step: MountedStep) => Launch,
): Promise<{ exitCode: number }> {
  const { sandbox } = run;
  return runStep(run, (directory, atEnd) => {
    const points = prepareMountPoints(sandbox, { flavour, now: now() });
    atEnd(() => points.removeEmpty());
    const mounted = { sandbox, directory, points };
    return sandbox.handler === undefined ? prepare(mounted) : withHandler(sandbox.handler, mounted, prepare);
  });
}

function withHandler(rule: string, mounted: MountedStep, prepare: (step: MountedStep) => Launch): Launch {
  const { step, wrap } = mountTreesOutside(mounted);
  const launch = prepare(step);
  const { directory } = mounted;
  return { ...launch, args: wrap(registerCommand(launch.args, { rule, directory, reportTo: REPORT }), REPORT) };
}
