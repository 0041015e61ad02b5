import { type Syscall, must } from '../syscalls/syscall-program.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** Has the kernel kill the process when the one above it ends; a change of its user undoes that. */
export const DIE_WITH_PARENT = must('prctl', PR_SET_PDEATHSIG, SIGKILL);

/** A `struct sigaction` of SIG_DFL, and one of SIG_IGN. */
const ACTIONS = {
  default: { numbers: [0, 0, 0, 0, 0, 0, 0, 0] },
  ignored: { numbers: [1, 0, 0, 0, 0, 0, 0, 0] },
} as const;
const SIGNAL_SET_BYTES = 8;

/** What rt_sigaction(2) is called with. */
export function signalAction(signal: number, action: keyof typeof ACTIONS): Syscall['args'] {
  return [signal, ACTIONS[action], 0, SIGNAL_SET_BYTES];
}
