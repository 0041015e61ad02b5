import type { ProcessIO } from './executor.ts';

const PREFIX = Buffer.from('unshare: failed to execute ');

/** Exit codes of a program that was not found, and of one that could not be executed. */
const NOT_STARTED = [126, 127];

/**
 * The last program of the set-up names itself when the step's cannot be executed. Its line is held back and said in the
 * words that Docker's users know.
 */
export function explainFailure(args: readonly string[], io: ProcessIO): { io: ProcessIO; finish(exitCode: number): void } {
  let held: Buffer | undefined;
  let decided = false;
  const release = (): void => {
    if (held !== undefined) io.stderr(held);
    held = undefined;
    decided = true;
  };
  const stderr = (data: Uint8Array): void => {
    if (decided) return io.stderr(data);
    held = Buffer.concat([held ?? new Uint8Array(), data]);
    const length = Math.min(held.length, PREFIX.length);
    if (!held.subarray(0, length).equals(PREFIX.subarray(0, length)) || held.length > 4096) release();
  };
  const finish = (exitCode: number): void => {
    if (held !== undefined && NOT_STARTED.includes(exitCode)) held = Buffer.from(messageOf(args[0] ?? '', held.toString()));
    release();
  };
  return { io: { stdout: (data) => io.stdout(data), stderr }, finish };
}

function messageOf(program: string, text: string): string {
  const reason = text.slice(text.lastIndexOf(': ') + 2).trim().toLowerCase();
  if (program.includes('/')) return `exec: "${program}": stat ${program}: ${reason}\n`.replace(/stat .*: permission denied/, 'permission denied');
  return `exec: "${program}": executable file not found in $PATH\n`;
}
