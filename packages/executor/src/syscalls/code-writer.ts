/** Writes the instructions of a straight-line program of system calls. */
export interface CodeWriter {
  /** Makes the call and stores its result in the slot. A failure jumps to the end unless it is allowed. */
  call(number: number, args: readonly number[], options: { slot: number; mayFail: boolean }): void;
  /** The child continues; the parent waits for its end and exits like it. A failure jumps to the end. */
  fork(numbers: { clone: number; wait: number; exit: number; exitCode: number }, slot: number): void;
  /** Writes all slots and exits. Returns the whole code. */
  finish(end: { write: number; exit: number; reportTo: number; exitCode: number }): Uint8Array;
}

/** The signal of a child's end, which fork asks for. */
export const SIGCHLD = 17;

/** Returns the bytes that the slots of a program take on the stack. */
export function stackSize(slots: number): number {
  return Math.ceil((slots * 4) / 16) * 16;
}
