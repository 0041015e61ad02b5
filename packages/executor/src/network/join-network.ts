import { openUnnamedFile } from '@tbuild/linux';
import type { Sandbox } from '../executor.ts';
import { toolEnvironment, toolPath } from '../machine/tools.ts';
import type { Launch } from '../process/launch.ts';
import { encodeSyscallProgram, must, type Syscall } from '../syscalls/syscall-program.ts';

export const CLONE_NEWNET = 0x4000_0000;

/** A launch that begins in the network of its step. */
export interface JoinedLaunch extends Disposable {
  readonly launch: Launch;
  /** The descriptors to pass from {@link JoiningOptions.first} on. */
  readonly descriptors: readonly number[];
}

export interface JoiningOptions extends Pick<Sandbox, 'network'> {
  readonly first: number;
  /** A directory for a file. */
  readonly directory: string;
}

/**
 * Makes a launch join the network namespace of its step before all else. The new process has to do that: this one could
 * not return from there inside a user namespace, which does not own the machine's network.
 */
export function joinNetwork(launch: Launch, { network, first, directory }: JoiningOptions): JoinedLaunch {
  if (typeof network === 'string') return { launch, descriptors: [], [Symbol.dispose]: () => {} };
  const { namespace } = network;
  const { args, program, setsUp, machine } = launch;
  const calls = [must('setns', first, CLONE_NEWNET), must('close', first)];
  if (setsUp) {
    const joining = { ...program, calls: [...calls, ...program.calls] };
    return { launch: { ...launch, program: joining }, descriptors: [namespace], [Symbol.dispose]: () => {} };
  }
  const own = first + 1;
  const joining = { calls: [...calls, must('close', own), becoming(args)], reportTo: program.reportTo };
  const executable = openUnnamedFile(`${directory}/join`, encodeSyscallProgram(machine, joining), 0o755);
  return {
    launch: { ...launch, args: [`/proc/self/fd/${own}`] },
    descriptors: [namespace, executable.fd],
    [Symbol.dispose]: () => executable[Symbol.dispose](),
  };
}

function becoming(args: readonly string[]): Syscall {
  return must('execve', { text: toolPath(args[0] ?? '') }, { texts: args }, { texts: toolEnvironment() });
}
