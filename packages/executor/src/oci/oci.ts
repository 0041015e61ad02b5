import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { type CallMachineDescription, describeCallMachine } from '../call-machine.ts';
import { callProgram, type CallProgram } from '../enter/call-program.ts';
import { executeOnly } from '../enter/enter-sandbox.ts';
import type { Executor, ProcessIO, Sandbox } from '../executor.ts';
import { exitCodeOf, setupFailure } from '../exit-code.ts';
import { type MountPoints, prepareMountPoints } from '../mount-points.ts';
import { openOutputPipe } from '../output-pipe.ts';
import { runProcess } from '../run-process.ts';
import { runtimeConfig } from './runtime-config.ts';
import { PROGRAM, runtimeCommand, REPORT_TO } from './runtime-command.ts';

export interface OciExecutorOptions {
  /** Made when missing; each step has a directory of its own in it, removed at its end. Others may use it too. */
  readonly runDirectory: string;
  /** `user` inside a user namespace. */
  readonly flavour: OverlayFlavour;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The path of crun, runc or youki. */
  readonly runtime: string;
}

/**
 * Runs steps with an OCI runtime: a sandbox becomes a `config.json`. The runtime is told to start a program of
 * ours, which finds and executes the step's, so that messages and exit codes are those of the other executors.
 */
export function createOciExecutor(options: OciExecutorOptions): Executor {
  let machine: Machine | undefined;
  return {
    name: 'oci',
    run: (sandbox, io, signal) =>
      runInRuntime((machine ??= { ...describeCallMachine(options.runDirectory), options }), sandbox, io, signal),
  };
}

interface Machine extends CallMachineDescription {
  readonly options: OciExecutorOptions;
}

async function runInRuntime(
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
    const program = executeOnly(sandbox.process, { program: PROGRAM, reportTo: REPORT_TO });
    const args = assemble(machine, sandbox, { points, directory, program });
    using stdout = openOutputPipe(`${directory}/stdout`, sandbox.process.user);
    using stderr = openOutputPipe(`${directory}/stderr`, sandbox.process.user);
    const ended = await runProcess(args, { io, stdout, stderr, signal });
    refuseComplaint(ended.exitCode, `${directory}/log`);
    return { exitCode: exitCodeOf(ended, { program, args: sandbox.process.args, io }) };
  } finally {
    points?.removeEmpty();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes everything that the set-up reads, and returns the command that starts it. */
function assemble(
  { options: { runtime, flavour }, machine, permitted }: Machine,
  sandbox: Sandbox,
  { points, directory, program }: { points: MountPoints; directory: string; program: CallProgram },
): readonly string[] {
  const [rootfs, enter] = [`${directory}/rootfs`, `${directory}/enter`];
  mkdirSync(rootfs);
  // A step's user executes it.
  writeFileSync(enter, callProgram(machine, program), { mode: 0o755 });
  const mounts = points.mounts.map((placed, index) => {
    if (placed.mount.type === 'overlay') mkdirSync(`${directory}/overlay${index}`);
    return { placed, source: placed.mount.type === 'bind' ? placed.mount.source : `${directory}/overlay${index}` };
  });
  const args = [`/proc/self/fd/${PROGRAM}`];
  writeFileSync(
    `${directory}/config.json`,
    JSON.stringify(runtimeConfig(sandbox, { rootfs, mounts, args, flavour, permitted })),
  );
  const overlays = mounts.flatMap(({ placed: { mount }, source }) =>
    mount.type === 'overlay' ? [{ mount: mount.mount, target: source }] : [],
  );
  return runtimeCommand({
    runtime,
    directory,
    enter,
    id: `tbuild-${basename(directory)}`,
    mounts: [{ mount: sandbox.root.mount, target: rootfs }, ...overlays],
  });
}

/** The runtime writes to its log only when it fails. */
function refuseComplaint(exitCode: number, log: string): void {
  if (exitCode === 0) return;
  const complaint = readOptional(log).trim();
  if (complaint !== '') throw setupFailure(complaint);
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
