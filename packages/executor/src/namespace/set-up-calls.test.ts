import { expect, test } from 'vitest';
import type { SetupStep } from '../sandbox/sandbox-mounts.ts';
import type { Syscall } from '../syscalls/syscall-program.ts';
import { setUpCalls } from './set-up-calls.ts';

const [MS_BIND, MS_MOVE, MS_REC] = [4096, 8192, 16_384];
const AT_RECURSIVE = 0x8000;

/** The calls between those that create the namespaces and the one that sets the host name. */
function mountsOf(...steps: SetupStep[]): string[] | undefined {
  return setUpCalls(steps, 'host')?.slice(8, -1).map(textOf);
}

function textOf({ name, args }: Syscall): string {
  const shown = args.map((arg) => {
    if (typeof arg === 'number') return arg;
    return 'text' in arg ? arg.text || "''" : 'numbers' in arg ? `{${arg.numbers.join(' ')}}` : '?';
  });
  return [name, ...shown].join(' ');
}

test('setUpCalls creates private namespaces that end with their parent', () => {
  const calls = setUpCalls([], 'höst') ?? [];
  expect(calls.map(textOf)).toEqual([
    'prctl 1 9',
    `unshare ${0x2c02_0000}`,
    'rt_sigaction 2 {1 0 0 0 0 0 0 0} 0 8',
    'rt_sigaction 15 {1 0 0 0 0 0 0 0} 0 8',
    'fork',
    'prctl 1 9',
    'umask 18',
    'mount none / 0 278528',
    'sethostname höst 5',
  ]);
  // The kernel may refuse the name, which is harmless.
  expect(calls.filter(({ mayFail }) => mayFail).map(({ name }) => name)).toEqual(['sethostname']);
});

test('setUpCalls cuts a host name to the longest that the kernel accepts', () => {
  expect(textOf(setUpCalls([], 'h'.repeat(70))?.at(-1) as Syscall)).toBe(`sethostname ${'h'.repeat(70)} 64`);
});

test.each<[what: string, step: SetupStep, calls: string[]]>([
  [
    'a tree, from its directory',
    {
      source: 'overlay',
      target: '/r',
      type: 'overlay',
      options: ['lowerdir=l/0', 'upperdir=fs', 'nodev'],
      directory: '/s',
    },
    ['chdir /s', 'mount overlay /r overlay 4 lowerdir=l/0,upperdir=fs'],
  ],
  [
    'a file system without options',
    { source: 'proc', target: '/r/proc', type: 'proc', options: ['nosuid', 'nodev', 'noexec'] },
    ["mount proc /r/proc proc 14 ''"],
  ],
  [
    'a read-only file system',
    { source: 'tmpfs', target: '/r/sys/firmware', type: 'tmpfs', options: ['ro', 'size=0'] },
    ['mount tmpfs /r/sys/firmware tmpfs 1 size=0'],
  ],
  [
    'a bind without attributes',
    { source: '/a b', target: '/r/b', type: 'none', options: ['rbind'] },
    [`mount /a b /r/b 0 ${MS_BIND | MS_REC}`],
  ],
  [
    'a bind with attributes',
    { source: '/a', target: '/r/b', type: 'none', options: ['bind', 'ro', 'nosuid'] },
    [`mount /a /r/b 0 ${MS_BIND}`, 'mount_setattr -100 /r/b 0 {3 0 0 0 0 0 0 0} 32'],
  ],
  [
    'a bind that lets devices work',
    { source: '/a', target: '/r/dev', type: 'none', options: ['bind', 'dev', 'noexec'] },
    [`mount /a /r/dev 0 ${MS_BIND}`, 'mount_setattr -100 /r/dev 0 {8 0 4 0 0 0 0 0} 32'],
  ],
  [
    'a recursively read-only bind with other attributes',
    { source: '/sys', target: '/r/sys', type: 'none', options: ['rbind', 'ro=recursive', 'nodev'] },
    [
      `mount /sys /r/sys 0 ${MS_BIND | MS_REC}`,
      'mount_setattr -100 /r/sys 0 {4 0 0 0 0 0 0 0} 32',
      `mount_setattr -100 /r/sys ${AT_RECURSIVE} {1 0 0 0 0 0 0 0} 32`,
    ],
  ],
  ['a move', { source: '/r', target: '//', type: 'none', options: ['move'] }, [`mount /r // 0 ${MS_MOVE}`]],
])('setUpCalls mounts %s', (_, step, calls) => {
  expect(mountsOf(step)).toEqual(calls);
});

test('setUpCalls leaves very many mounts to programs', () => {
  const binds = Array.from({ length: 201 }, (): SetupStep => ({
    source: '/a',
    target: '/b',
    type: 'none',
    options: ['bind'],
  }));
  expect(setUpCalls(binds, 'host')).toBeUndefined();
  expect(setUpCalls(binds.slice(1), 'host')).toBeDefined();
});

test.each<[what: string, step: SetupStep]>([
  ['a mount point inside a mount', { make: 'directory', within: '/r/a', path: '/r/a/b' }],
  ['more options than a page', { source: 'overlay', target: '/r', type: 'overlay', options: ['x'.repeat(4096)] }],
  ['an unknown option', { source: '/a', target: '/r', type: 'none', options: ['bind', 'shared'] }],
])('setUpCalls leaves %s to programs', (_, step) => {
  const bind: SetupStep = { source: '/a', target: '/b', type: 'none', options: ['bind'] };
  expect(setUpCalls([bind, step], 'host')).toBeUndefined();
});
