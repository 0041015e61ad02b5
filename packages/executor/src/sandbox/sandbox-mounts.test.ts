import { expect, test } from 'vitest';
import type { Sandbox } from '../executor.ts';
import { fstabText, type MountEntry } from '../namespace/fstab.ts';
import { splitLongLowers } from './overlay-options.ts';
import { type PlacedMount, sandboxMounts, type SandboxLayout } from './sandbox-mounts.ts';

const sandbox: Sandbox = {
  root: {
    upper: '/s/fs',
    lowers: ['/l'],
    mount: {
      type: 'overlay',
      source: 'overlay',
      options: ['lowerdir=l/0', 'upperdir=fs', 'workdir=work'],
      directory: '/s',
    },
  },
  mounts: [],
  process: { args: ['/bin/true'], env: [], cwd: '/', user: { uid: 0, gid: 0, groups: [] } },
  hostname: 'h',
  network: 'host',
  security: 'sandbox',
};
const layout: SandboxLayout = {
  root: '/r',
  devices: '/d',
  boundDevices: [],
  needsNodev: false,
  groupDirectory: '/g',
  groups: [],
  kernelPaths: new Map([
    ['/proc/keys', 'file'],
    ['/proc/acpi', 'directory'],
    ['/proc/sys', 'directory'],
  ]),
  flavour: 'trusted',
  features: { appendLowers: true, recursiveReadonly: true, userOverlays: true },
  proc: 'fresh',
  setsGroups: true,
};

function lines(
  changes: Partial<Sandbox>,
  mounts: readonly PlacedMount[] = [],
  at: Partial<SandboxLayout> = {},
): string[] {
  return sandboxMounts({ ...sandbox, ...changes }, { mounts }, { ...layout, ...at }).map((step) =>
    'make' in step ? `make ${step.make} ${step.within} ${step.path}` : fstabText([step]).replace(' 0 0\n', ''),
  );
}

test('sandboxMounts returns the mount table of a plain step', () => {
  expect(lines({})).toEqual([
    'overlay /r overlay lowerdir=l/0,upperdir=fs,workdir=work',
    'proc /r/proc proc nosuid,nodev,noexec',
    'sysfs /r/sys sysfs nosuid,nodev,noexec,ro',
    '/d /r/dev none bind,dev,nosuid,noexec',
    'devpts /r/dev/pts devpts newinstance,ptmxmode=0666,mode=0620,gid=5,nosuid,noexec',
    'shm /r/dev/shm tmpfs nosuid,nodev,noexec,mode=1777,size=65536k',
    'mqueue /r/dev/mqueue mqueue nosuid,nodev,noexec',
    'tmpfs /r/proc/acpi tmpfs ro,size=0',
    '/dev/null /r/proc/keys none bind,ro',
    '/r/proc/sys /r/proc/sys none bind,ro',
    '/r // none move',
  ]);
});

test('sandboxMounts covers nothing in /proc for an insecure step', () => {
  expect(lines({ security: 'insecure' }).filter((line) => line.includes('/r/proc/'))).toEqual([]);
});

test("sandboxMounts binds the host's /sys in a user namespace", () => {
  expect(lines({}, [], { flavour: 'user' })).toContain('/sys /r/sys none rbind,ro=recursive,nosuid,nodev,noexec');
});

const mounts: [name: string, mount: PlacedMount, expected: string[]][] = [
  [
    'file',
    { mount: { type: 'bind', source: '/a b', target: '/x', readonly: true }, target: 'x', kind: 'file' },
    ['/a\\040b /r/x none bind,ro'],
  ],
  [
    'directory',
    { mount: { type: 'bind', source: '/a', target: '/x', readonly: true }, target: 'x', kind: 'directory' },
    ['/a /r/x none rbind,ro=recursive'],
  ],
  [
    'writable',
    { mount: { type: 'bind', source: '/a', target: '/x', readonly: false }, target: 'x', kind: 'directory' },
    ['/a /r/x none rbind'],
  ],
  [
    'tmpfs',
    { mount: { type: 'tmpfs', target: '/x', size: 4096, mode: 0o700 }, target: 'x', kind: 'directory' },
    ['tmpfs /r/x tmpfs nosuid,size=4096,mode=700'],
  ],
  [
    'inside another',
    {
      mount: { type: 'bind', source: '/a', target: '/x/y', readonly: false },
      target: 'x/y',
      kind: 'file',
      within: 'x',
    },
    ['make file /r/x /r/x/y', '/a /r/x/y none bind'],
  ],
  [
    'overlay',
    {
      mount: {
        type: 'overlay',
        mount: { type: 'overlay', source: 'overlay', options: ['lowerdir=l/0'], directory: '/o' },
        target: '/x',
      },
      target: 'x',
      kind: 'directory',
    },
    ['overlay /r/x overlay lowerdir=l/0'],
  ],
];
test.each(mounts)('sandboxMounts adds a mount: %s', (_, mount, expected) => {
  const plain = lines({});
  expect(lines({}, [mount])).toEqual([...plain.slice(0, -1), ...expected, ...plain.slice(-1)]);
});

const long = Array.from({ length: 40 }, (_, index) => `l/number-${index}`);
const options: [name: string, given: readonly string[], expected: readonly string[]][] = [
  ['short options stay', ['lowerdir=a:b', 'x'], ['lowerdir=a:b', 'x']],
  [
    'a long lowerdir is split',
    ['x', `lowerdir=${long.join(':')}`, 'y'],
    ['x', ...long.map((lower) => `lowerdir+=${lower}`), 'y'],
  ],
  [
    'an escaped colon stays in the name',
    [`lowerdir=a\\:b:${'c'.repeat(250)}`],
    ['lowerdir+=a:b', `lowerdir+=${'c'.repeat(250)}`],
  ],
];
test.each(options)('splitLongLowers: %s', (_, given, expected) => {
  expect(splitLongLowers(given)).toEqual(expected);
});

test('fstabText escapes special characters', () => {
  const entry: MountEntry = { source: "/a\tb\n'#\\", target: '/t', type: 'none', options: ['bind'] };
  expect(fstabText([entry])).toBe("/a\\011b\\012'\\043\\134 /t none bind 0 0\n");
});

test('sandboxMounts binds devices that cannot be made read-only from the machine', () => {
  const table = lines({}, [], { boundDevices: ['null', 'tty'] });
  expect(table).toContain('/d /r/dev none bind,nodev,nosuid,noexec');
  expect(table.filter((line) => line.startsWith('/dev/') && line.includes('/r/dev/'))).toEqual([
    '/dev/null /r/dev/null none bind,ro',
    '/dev/tty /r/dev/tty none bind,ro',
  ]);
});

test('sandboxMounts shows a unified control group hierarchy at its root and others by name', () => {
  const groups = (seen: SandboxLayout['groups']) =>
    lines({}, [], { groups: seen }).filter((line) => line.includes('cgroup'));
  expect(groups([])).toEqual([]);
  expect(groups([{ name: '', source: '/sys/fs/cgroup/a b' }])).toEqual([
    String.raw`/sys/fs/cgroup/a\040b /r/sys/fs/cgroup none bind,ro,nosuid,nodev,noexec`,
  ]);
  expect(groups([{ name: 'memory', source: '/sys/fs/cgroup/memory/x' }])).toEqual([
    '/g /r/sys/fs/cgroup none bind,ro,nosuid,nodev,noexec',
    '/sys/fs/cgroup/memory/x /r/sys/fs/cgroup/memory none bind,ro,nosuid,nodev,noexec',
  ]);
});

test('sandboxMounts sets nodev outside /dev if there is no device filter', () => {
  const source = { type: 'bind', source: '/cache', target: '/c', readonly: false } as const;
  const mounts: PlacedMount[] = [
    { mount: source, target: 'c', kind: 'directory' },
    { mount: { type: 'tmpfs', target: '/t' }, target: 't', kind: 'directory' },
  ];
  const table = lines({}, mounts, { needsNodev: true, boundDevices: ['null'] });
  const writable = table.filter((line) => !/^(proc|sysfs|shm|mqueue|devpts|tmpfs \/r\/proc|\/dev|\/r)/.test(line));
  expect(writable.map((line) => [line.split(' ')[1], line.includes('nodev')])).toEqual([
    ['/r', true],
    ['/r/dev', true],
    ['/r/c', true],
    ['/r/t', true],
  ]);
});
