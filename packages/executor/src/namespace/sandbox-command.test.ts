import { expect, test } from 'vitest';
import type { Sandbox } from '../executor.ts';
import type { SetupStep } from '../sandbox/sandbox-mounts.ts';
import { sandboxCommand } from './sandbox-command.ts';

const sandbox: Sandbox = {
  root: { upper: '/s/fs', lowers: [], mount: { type: 'overlay', source: 'overlay', options: [], directory: '/s' } },
  mounts: [],
  process: {
    args: ['/bin/sh', '-c', 'exit 1'],
    env: ['A=1', 'HOME=/h'],
    cwd: '/w',
    user: { uid: 33, gid: 34, groups: [5, 6] },
  },
  hostname: "it's",
  network: 'host',
  security: 'sandbox',
};
const root: SetupStep = {
  source: 'overlay',
  target: '/r',
  type: 'overlay',
  options: ['lowerdir=l/0'],
  directory: '/s',
};
const bind: SetupStep = { source: '/a', target: '/r/b', type: 'none', options: ['bind'] };
const place = { directory: '/run/x' };

function commandOf(changes: Partial<Sandbox>, steps: readonly SetupStep[] = [root, bind]) {
  const { args, files } = sandboxCommand({ ...sandbox, ...changes }, steps, place);
  return { before: args.slice(0, -3), script: args.at(-1)?.split('\n') ?? [], files };
}

test('sandboxCommand starts setpriv, unshare and sh, which executes the entering program', () => {
  const { before, script } = commandOf({});
  expect(before).toEqual([
    'setpriv',
    '--pdeathsig',
    'KILL',
    '--inh-caps=-all',
    'unshare',
    '--mount',
    '--pid',
    '--ipc',
    '--uts',
    '--fork',
    '--kill-child',
  ]);
  expect(script.at(-1)).toBe('exec /proc/self/fd/4');
});

test('sandboxCommand creates a network namespace with loopback for network none', () => {
  const { before, script } = commandOf({ network: 'none' });
  expect(before).toContain('--net');
  expect(script.some((line) => line.startsWith('ip link set lo up'))).toBe(true);
});

test('sandboxCommand mounts everything with one table and quotes the host name', () => {
  const { script, files } = commandOf({});
  expect([...files]).toEqual([['/run/x/fstab0', 'overlay /r overlay lowerdir=l/0 0 0\n/a /r/b none bind 0 0\n']]);
  expect(script.slice(2, 4)).toEqual(['cd /s || exit 125', 'mount -n -a --fstab /run/x/fstab0 || exit 125']);
  expect(script[4]).toContain(String.raw`'it'\''s'`);
});

test('sandboxCommand starts another table for a mount point, another directory and the older system call', () => {
  const other: SetupStep = { ...root, target: '/r/o', options: [`lowerdir=${'x'.repeat(300)}`], directory: '/t' };
  const { script, files } = commandOf({}, [
    root,
    bind,
    { make: 'file', within: '/r/b', path: '/r/b/c/d' },
    bind,
    other,
    bind,
  ]);
  expect([...files.values()].map((text) => text.split('\n').length - 1)).toEqual([2, 1, 1, 1]);
  expect(script[4]).toBe(
    "{ [ ! -L /r/b/c ] && { [ -e /r/b/c ] || mkdir /r/b/c; } && [ ! -L /r/b/c/d ] && { [ -e /r/b/c/d ] || : >> /r/b/c/d; }; } || { echo 'Cannot make mount point /r/b/c/d' >&2; exit 125; }",
  );
  expect(script).toContain('LIBMOUNT_FORCE_MOUNT2=always mount -n -a --fstab /run/x/fstab2 || exit 125');
});
