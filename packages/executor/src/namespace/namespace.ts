import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { lazily } from '@tbuild/concurrency';
import { hasCode, TbuildError } from '@tbuild/errors';
import { removeTree } from '@tbuild/linux';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { isUnified, makeGroupDirectory } from '../cgroup/group-view.ts';
import { type MountedStep, ownUserNamespace } from '../emulation/step-handler.ts';
import { enterSandbox } from '../enter/enter-sandbox.ts';
import type { Executor, StepEnd } from '../executor.ts';
import { describeHost, type HostDescription } from '../machine/describe-host.ts';
import { canMountProc, detectMountFeatures, type MountFeatures } from '../machine/tools.ts';
import { PROGRAM, REPORT } from '../process/descriptors.ts';
import { READY } from '../process/exit-code.ts';
import type { Launch } from '../process/launch.ts';
import { type ExecutorOptions, runMounted } from '../process/run-step.ts';
import { stepCapabilities } from '../sandbox/capabilities.ts';
import { makeDeviceDirectory } from '../sandbox/device-directory.ts';
import {
  MASKED_PATHS,
  READONLY_PATHS,
  type SandboxLayout,
  sandboxMounts,
  type SetupStep,
} from '../sandbox/sandbox-mounts.ts';
import { workDirectories } from '../sandbox/work-directories.ts';
import { must } from '../syscalls/syscall-program.ts';
import { sandboxCommand } from './sandbox-command.ts';
import { setUpCalls } from './set-up-calls.ts';

export interface NamespaceOptions extends ExecutorOptions {
  /** The only way to set up sandboxes, as far as it works. Default: syscalls first, programs if syscalls fail. */
  readonly setUp?: 'calls' | 'programs';
}

/**
 * Runs every step in mount, pid, ipc and uts namespaces of its own. Nothing is mounted outside them, and everything
 * in them ends with this process. Call it from the main thread: a step dies with the thread that started it.
 *
 * A generated program of system calls sets up a sandbox and enters it. If it cannot, or the kernel refuses, the
 * programs of util-linux and coreutils do, which also explain what is wrong. Starting these four programs costs a
 * third of a step's time.
 */
export function createNamespaceExecutor(options: NamespaceOptions): Executor {
  const { runDirectory, flavour, setUp } = options;
  const ours = lazily(() => describeMachine(runDirectory, flavour === 'user' ? 'ours' : 'none'));
  const ofStep = lazily(() => describeMachine(runDirectory, 'of the step'));
  let triesCalls = setUp !== 'programs';
  return {
    name: 'namespace',
    async run(sandbox, io, signal) {
      const machine = sandbox.handler === undefined ? ours() : ofStep();
      const run = (byCalls: boolean): Promise<StepEnd> =>
        runMounted({ ...options, sandbox, io, signal }, (step) => prepare(machine, step, { byCalls }));
      const { network, handler } = sandbox;
      if (!triesCalls || network === 'none' || handler !== undefined) return run(false);
      try {
        return await run(true);
      } catch (error) {
        if (setUp === 'calls' || !hasCode(error, 'PROCESS_FAILED')) throw error;
        // The kernel does not mount a volatile overlay a second time before a sync.
        for (const path of workDirectories(sandbox)) removeTree(path);
        const end = await run(false).catch((failure: unknown) => {
          throw setupFailedTwice(error, failure);
        });
        triesCalls = false;
        return end;
      }
    },
  };
}

/**
 * Combines two failures. The message is that of the programs, since they make up for system calls that an old kernel
 * lacks; the syscalls' failure is its cause.
 */
function setupFailedTwice(byCalls: TbuildError, byPrograms: unknown): unknown {
  if (!hasCode(byPrograms, 'PROCESS_FAILED')) return byPrograms;
  const { message, hint, cause } = byPrograms;
  const output = cause instanceof Error ? cause.message : message;
  return new TbuildError('PROCESS_FAILED', message, { hint, cause: new Error(output, { cause: byCalls }) });
}

/** What stays the same from step to step. */
interface Machine extends HostDescription {
  readonly flavour: OverlayFlavour;
  readonly kernelPaths: ReadonlyMap<string, 'file' | 'directory'>;
  readonly proc: 'fresh' | 'own';
}

/** `userNamespace` is the user namespace that steps are set up in: none, tbuild's own, or one per step. */
function describeMachine(runDirectory: string, userNamespace: 'none' | 'ours' | 'of the step'): Machine {
  const within = userNamespace === 'of the step' ? ownUserNamespace() : [];
  return {
    ...describeHost(runDirectory),
    flavour: userNamespace === 'none' ? 'trusted' : 'user',
    kernelPaths: findKernelPaths(),
    // The kernel refuses it only inside a user namespace.
    proc: userNamespace === 'none' || canMountProc(within) ? 'fresh' : 'own',
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

/** The features of mount(2) and mount_setattr(2), which take all options as one text. */
const SYSCALL_FEATURES: MountFeatures = { appendLowers: false, recursiveReadonly: true, userOverlays: true };

/** Writes the files that the set-up reads into the step's directory. */
function prepare(machine: Machine, step: MountedStep, { byCalls }: { readonly byCalls: boolean }): Launch {
  const { sandbox, directory, joinDescriptors, groups, points } = step;
  const layout = makeLayout(machine, step);
  const mountsFor = (features: MountFeatures): readonly SetupStep[] =>
    sandboxMounts(sandbox, points, { ...layout, features });
  const ownCgroupNamespace = isUnified(groups);
  const entering = enterSandbox(sandbox, {
    ...machine,
    capabilities: stepCapabilities(sandbox, machine.flavour),
    reportTo: REPORT,
    joinDescriptors,
    ownCgroupNamespace,
    diesWithParent: true,
  });
  const setUp = byCalls ? setUpCalls(mountsFor(SYSCALL_FEATURES), sandbox.hostname) : undefined;
  if (setUp !== undefined) {
    const ready = must('write', REPORT, { text: READY }, READY.length);
    const program = { ...entering, calls: [...setUp, ready, ...entering.calls] };
    return { args: [`/proc/self/fd/${PROGRAM}`], program, setsUp: true, machine: machine.machine };
  }
  const { args, files } = sandboxCommand(sandbox, mountsFor(detectMountFeatures()), { directory });
  for (const [file, text] of files) writeFileSync(file, text);
  return { args, program: entering, machine: machine.machine };
}

/** Creates the directories that are mounted. */
function makeLayout(
  { flavour, kernelPaths, proc, setsGroups }: Machine,
  { directory, groups, needsNodev }: MountedStep,
): Omit<SandboxLayout, 'features'> {
  const [root, devices] = [`${directory}/root`, `${directory}/dev`];
  mkdirSync(root);
  const groupDirectory = makeGroupDirectory(`${directory}/groups`, groups);
  const boundDevices = makeDeviceDirectory(devices, { nodes: flavour === 'trusted' && !needsNodev });
  return { root, devices, boundDevices, groupDirectory, groups, needsNodev, kernelPaths, flavour, proc, setsGroups };
}
