import type { Random } from '../../support/random.ts';
import type { ProcessResult } from '../../support/run-process.ts';
import type { FaultContext } from '../fault-row.ts';
import type { Site } from '../operations.ts';
import type { RunOptions } from '../run-tbuild.ts';
import { requireClearEnd } from './clear-end.ts';
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
  readonly context: FaultContext;
  readonly volume: Volume;
}

export function pickScarcity(random: Random): Fault {
  const bytes = random.int(3_000_000);
  const inodes = random.int(60);
  const files = 24 + random.int(40);
  return random.pick([
    fullDisk(bytes, 'bytes'),
    fullDisk(inodes, 'inodes'),
    fullDisk(bytes, 'quota'),
    readOnlyDisk,
    fewFiles(files),
    badOutput(random.pick(OUTPUTS)),
  ]);
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
