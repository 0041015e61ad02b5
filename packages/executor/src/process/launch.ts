import type { SyscallMachine, SyscallProgram } from '../syscalls/syscall-program.ts';

/** How to start and end a step whose directory is ready. */
export interface Launch {
  /** The set-up, which becomes the step's process. It writes errors and READY to descriptor {@link REPORT}. */
  readonly args: readonly string[];
  /** The last program of the set-up, which it executes as descriptor {@link PROGRAM}. */
  readonly program: SyscallProgram;
  /** Whether the program is the whole set-up. */
  readonly setsUp?: boolean;
  /** The machine that the program is made for. */
  readonly machine: SyscallMachine;
  /** A directory where the output pipes stay visible to the step. Default: they have no name. */
  readonly pipes?: string;
  /** Ends the set-up and the step. Default: kills pid 1 of its pid namespace. */
  readonly end?: (pid: number) => void;
  /** Checks the exit code. @throws TbuildError PROCESS_FAILED if it is not the step's own. */
  readonly check?: (exitCode: number) => void;
}
