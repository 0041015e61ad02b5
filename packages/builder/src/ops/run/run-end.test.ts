import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StepEnd } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import { openLayeredTree } from '@tbuild/snapshot';
import { afterAll, expect, test } from 'vitest';
import { exited } from './run-end.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tbuild-run-end-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const MB = 2 ** 20;

interface Ended extends Partial<Omit<StepEnd, 'memory'>> {
  readonly memory?: Partial<StepEnd['memory']>;
  readonly command?: string;
  readonly tail?: string;
}

const ended = ({ memory, command = 'make', tail = '', ...end }: Ended) => {
  const op: RunOp = {
    kind: 'run',
    args: ['/bin/sh', '-c', command],
    env: ['PATH=/bin'],
    cwd: '/',
    user: '',
    mounts: [],
    network: 'default',
    security: 'sandbox',
    hostname: 'x',
    platform: { os: 'linux', architecture: 'amd64' },
  };
  const known = { reachedLimit: false, machine: 512 * MB, ...memory };
  const facts = { store: { root: scratch }, secrets: [], memory: 64 * MB, isIsolated: false, tail };
  const tree = openLayeredTree([scratch], 'user');
  const { message, hint = '' } = exited(op, { exitCode: 137, ...end, memory: known }, { ...facts, tree });
  return `${message.replace(/^.*successfully: /, '')}\n${hint}`;
};

const cases: readonly (readonly [title: string, end: Ended, says: string])[] = [
  [
    'the limit of the step and its peak use',
    { memory: { reachedLimit: true, peak: 63.2 * MB, largestProcess: 70 * MB } },
    `exit code: 137, killed: it exceeded the memory limit of 64 MiB
Raise the limit with --resource memory=SIZE: the step used 64 MiB at its peak`,
  ],
  [
    'the largest process where no group counts the peak',
    { memory: { reachedLimit: true, largestProcess: 60 * MB }, exitCode: 2 },
    `exit code: 2, killed: it exceeded the memory limit of 64 MiB
Raise the limit with --resource memory=SIZE: its largest process used 60 MiB`,
  ],
  [
    'the memory of the machine when the kernel ran out of it',
    { memory: { machineRanOut: true, largestProcess: 400 * MB } },
    `exit code: 137 (SIGKILL: killed)
Give this machine or container more memory, or run fewer steps at once with --jobs 1: the kernel killed a process for lack of memory while this step ran; the largest process had 400 MiB of 512 MiB`,
  ],
  [
    'nothing about memory when the kernel killed nothing',
    { memory: { machineRanOut: false } },
    `exit code: 137 (SIGKILL: killed)
Find out what sent SIGKILL: the kernel killed no process for lack of memory while this step ran`,
  ],
  [
    'timeout as a program that kills',
    { memory: { machineRanOut: false }, command: 'timeout -s KILL 5 make' },
    `exit code: 137 (SIGKILL: killed)
Find out what sent SIGKILL, perhaps "timeout": the kernel killed no process for lack of memory while this step ran`,
  ],
  [
    'a guess where the kernel does not count',
    { tail: 'Killed\n', exitCode: 1 },
    `exit code: 1
Give this machine or container more memory, or run fewer steps at once with --jobs 1: a process was killed (SIGKILL), most often for lack of memory`,
  ],
  [
    'that timeout ended its command',
    { exitCode: 124, command: 'timeout 5 make' },
    `exit code: 124
Allow more time, or find out what takes it: "timeout" ended its command, which it tells by exit code 124`,
  ],
  ['nothing about 124 of other programs', { exitCode: 124 }, 'exit code: 124\n'],
  ['a signal without a hint', { exitCode: 134 }, 'exit code: 134 (SIGABRT: aborted by itself)\n'],
  [
    'the option for a limit of file sizes',
    { exitCode: 153 },
    'exit code: 153 (SIGXFSZ: limit of file size exceeded)\nRaise the limit with --ulimit fsize=BYTES',
  ],
  [
    'the option for a limit of open files',
    { exitCode: 1, tail: 'sh: cannot open /x: Too many open files\n' },
    'exit code: 1\nRaise the limit with --ulimit nofile=NUMBER, or open fewer files',
  ],
  ['no signal for codes above those of signals', { exitCode: 255 }, 'exit code: 255\n'],
];

test.each(cases)('the error of a failed RUN says %s', (_, end, says) => {
  expect(ended(end)).toBe(says);
});
