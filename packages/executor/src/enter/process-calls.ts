import { type Syscall, must } from '../syscalls/syscall-program.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** Asks the kernel to kill the process when its parent ends. A change of user resets this. */
export const DIE_WITH_PARENT = must('prctl', PR_SET_PDEATHSIG, SIGKILL);

/** A `struct sigaction` for SIG_DFL and for SIG_IGN. */
const ACTIONS = {
  default: { numbers: [0, 0, 0, 0, 0, 0, 0, 0] },
  ignored: { numbers: [1, 0, 0, 0, 0, 0, 0, 0] },
} as const;
const SIGNAL_SET_BYTES = 8;

/** Returns the arguments of rt_sigaction(2). */
export function signalAction(signal: number, action: keyof typeof ACTIONS): Syscall['args'] {
  return [signal, ACTIONS[action], 0, SIGNAL_SET_BYTES];
}
