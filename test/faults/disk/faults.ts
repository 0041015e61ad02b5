import { join } from 'node:path';
import { pickKindFirst, type Random } from '../../support/random.ts';
import type { ProcessResult } from '../../support/run-process.ts';
import type { FaultContext } from '../fault-row.ts';
import { isArchiveCutOff, type Operation, type Site } from '../operations.ts';
import { isInternalError, type RunOptions } from '../run-tbuild.ts';
import { injectedCalls, ONE_THREAD, tampering, withoutWorkingDirectory } from '../strace.ts';
import { callsOf } from './calls.ts';
import type { Scarce, Volume, VolumeKind } from './volumes.ts';

/** Something that is wrong with the disk, or a limit, while one command runs. */
export interface Fault {
  /** The file system that it needs. Default: any. */
  readonly volume?: VolumeKind;
  /** Runs the command with the fault and checks how it ends. */
  run(place: FaultPlace, run: (options?: RunOptions) => Promise<ProcessResult>): Promise<void>;
}

export interface FaultPlace {
  readonly site: Site;
  readonly operation: Operation;
  readonly context: FaultContext;
  readonly volume: Volume;
}

/** The errors, and the words for them that a message has. */
const WORDS: Readonly<Record<string, RegExp>> = {
  ENOSPC: /no space left|none is left on the file system/i,
  EDQUOT: /quota|none is left on the file system/i,
  EIO: /i\/o error|input\/output error/i,
  EROFS: /read-only/i,
  EMFILE: /too many open files/i,
  ENOMEM: /not enough memory|cannot allocate memory|out of memory/i,
};

export function pickFault(random: Random): Fault {
  const injected = injectedError(random.pick(Object.keys(WORDS)));
  const bytes = random.int(3_000_000);
  const inodes = random.int(60);
  const files = 24 + random.int(40);
  return random.pick([
    injected,
    injected,
    injected,
    injected,
    fullDisk(bytes, 'bytes'),
    fullDisk(inodes, 'inodes'),
    fullDisk(bytes, 'quota'),
    readOnlyDisk,
    fewFiles(files),
    badOutput(random.pick(OUTPUTS)),
  ]);
}

/** One system call fails, at any place in the command. */
function injectedError(error: string): Fault {
  return {
    async run({ site, operation, context }, run) {
      const log = join(context.directory, 'strace');
      const call = pickKindFirst(await callsOf(operation, site, log), ({ name }) => name, context.random);
      if (call === undefined) throw new Error(`"${operation.name}" made no system calls in its directory`);
      const result = await run({ through: tampering(call, `error=${error}`, log), env: ONE_THREAD });
      const failed = injectedCalls(log);
      const isOfSite =
        failed.length > 0 && failed.every((line) => withoutWorkingDirectory(line).includes(site.directory));
      if (failed.length === 0) context.count('calls not reached');
      else if (!isOfSite) context.count('calls on other files');
      else [error, `at ${call.name}`].forEach((what) => context.count(what));
      requireClearEnd(result, { site, context, error: isOfSite ? error : undefined, what: failed.join('\n') });
    },
  };
}

/** The error that the kernel answers when nothing is left. */
const LACKS: Readonly<Record<Scarce, string>> = { bytes: 'ENOSPC', inodes: 'ENOSPC', quota: 'EDQUOT' };

function fullDisk(left: number, what: Scarce): Fault {
  return {
    volume: what === 'quota' ? 'btrfs' : undefined,
    async run({ site, context, volume }, run) {
      const full = await volume.fill(left, what);
      const result = await run();
      await full[Symbol.asyncDispose]();
      context.count(result.exitCode === 0 ? `enough ${what}` : `too few ${what}`);
      requireClearEnd(result, { site, context, error: LACKS[what], what: `${left} of ${what} left` });
    },
  };
}

const readOnlyDisk: Fault = {
  async run({ site, context, volume }, run) {
    await volume.remount('ro');
    const result = await run();
    await volume.remount('rw');
    context.count('read-only');
    requireClearEnd(result, { site, context, error: 'EROFS', what: 'read-only' });
  },
};

function fewFiles(files: number): Fault {
  return {
    async run({ site, context }, run) {
      const result = await run({ through: ['prlimit', `--nofile=${files}:${files}`] });
      context.count(result.exitCode === 0 ? 'enough open files' : 'too few open files');
      requireClearEnd(result, { site, context, error: 'EMFILE', what: `${files} open files` });
    },
  };
}

/** What a shell does with the outputs of a command, and whether the command may fail of it. */
const OUTPUTS = [
  { redirection: '> /dev/full', mayFail: true },
  { redirection: '>&-', mayFail: true },
  { redirection: '2> /dev/full', mayFail: false },
  { redirection: '2>&-', mayFail: false },
];

/** Nobody reads what a command prints, or what it reports. */
function badOutput({ redirection, mayFail }: (typeof OUTPUTS)[number]): Fault {
  return {
    async run({ site, context }, run) {
      const result = await run({ through: ['sh', '-c', `exec "$@" ${redirection}`, 'sh'] });
      context.count(result.exitCode === 0 ? 'outputs not needed' : 'outputs missing');
      if (result.exitCode !== 0 && !mayFail) context.fail(`It exited with ${result.exitCode} after ${redirection}`);
      requireClearEnd(result, { site, context, error: 'ENOSPC', what: redirection });
    },
  };
}

interface Expected {
  readonly site: Site;
  readonly context: FaultContext;
  /** The error that the message must be about; undefined where anything may have failed. */
  readonly error: string | undefined;
  /** For the details of a failure. */
  readonly what: string;
}

/** A command succeeds in spite of the fault, or exits with 1 and one message that names the error and the place. */
function requireClearEnd(
  { exitCode, stderr, stdout }: ProcessResult,
  { site, context: { fail }, error, what }: Expected,
): void {
  const shown = `${what}\n${stdout}${stderr}`;
  if (isArchiveCutOff(site)) fail('The archive is cut off', shown);
  if (error === undefined || exitCode === 0) return;
  if (exitCode !== 1) fail(`It exited with ${exitCode}, expected 1`, shown);
  if (isInternalError(stderr)) fail('It printed a stack trace', shown);
  if (!WORDS[error]!.test(stderr)) fail(`Nothing says ${error}`, shown);
  if (!stderr.includes(site.directory) && !stderr.includes('standard output'))
    fail(`The message about ${error} names no file or store`, shown);
}
