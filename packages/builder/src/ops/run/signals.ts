import { constants } from 'node:os';

/** What signals that end processes mean, and a hint where one holds for all programs. */
const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, readonly [meaning: string, hint?: string]>>> = {
  SIGHUP: ['hangup'],
  SIGINT: ['interrupted'],
  SIGQUIT: ['quit'],
  SIGILL: [
    'illegal instruction',
    'Build the program for an older processor: it has an instruction that this one lacks',
  ],
  SIGTRAP: ['trap'],
  SIGABRT: ['aborted by itself'],
  SIGBUS: ['bus error'],
  SIGFPE: ['arithmetic error'],
  SIGKILL: ['killed'],
  SIGSEGV: ['segmentation fault', 'Check that the program and its libraries are for this image: it crashed'],
  SIGPIPE: ['broken pipe', 'Check the reader of the pipe: it ended before the program that writes'],
  SIGALRM: ['alarm'],
  SIGTERM: ['terminated', 'Check what ended the program: something sent it SIGTERM'],
  SIGXCPU: ['limit of processor time exceeded', 'Raise the limit with --ulimit cpu=SECONDS'],
  SIGXFSZ: ['limit of file size exceeded', 'Raise the limit with --ulimit fsize=BYTES'],
  SIGSYS: ['system call refused'],
};

/** Returns what stands behind an exit code of 128 and the number of a signal; nothing for others. */
export function nameExit(exitCode: number): string {
  const name = signalOf(exitCode);
  return name === undefined ? '' : ` (${name}: ${SIGNALS[name]?.[0]})`;
}

/** Returns a hint for an exit code of 128 and the number of a signal. */
export function hintOf(exitCode: number): string | undefined {
  const name = signalOf(exitCode);
  return name === undefined ? undefined : SIGNALS[name]?.[1];
}

function signalOf(exitCode: number): NodeJS.Signals | undefined {
  return (Object.keys(SIGNALS) as NodeJS.Signals[]).find((name) => constants.signals[name] === exitCode - 128);
}
