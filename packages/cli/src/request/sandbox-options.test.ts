import { expect, test } from 'vitest';
import { byteSize, cgroupParent, entitlements, extraHosts, resources, ulimits } from './sandbox-options.ts';

const sizes: readonly [text: string, bytes: number][] = [
  ['0', 0],
  ['1024', 1024],
  ['64m', 64 * 1024 ** 2],
  ['64MB', 64 * 1024 ** 2],
  ['1.5GiB', 1.5 * 1024 ** 3],
  ['2 kb', 2048],
];

test.each(sizes)('byteSize reads %s', (text, bytes) => {
  expect(byteSize(text, '--shm-size')).toBe(bytes);
});

test.each(['', 'm', '1x', '-1', '1m2'])('byteSize refuses %j', (text) => {
  expect(() => byteSize(text, '--shm-size')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('byteSize reads a number', () => {
  expect(byteSize(4096, '--shm-size')).toBe(4096);
});

test.each([
  ['nofile', '1024', { soft: 1024, hard: 1024 }],
  ['nofile', 5, { soft: 5, hard: 5 }],
  ['nofile', '1:2', { soft: 1, hard: 2 }],
  ['core', { soft: 0, hard: -1 }, { soft: 0, hard: -1 }],
  ['core', '0:-1', { soft: 0, hard: -1 }],
  ['memlock', '-1', { soft: -1, hard: -1 }],
] as const)('ulimits reads %s=%j', (name, limit, expected) => {
  expect(ulimits({ [name]: limit })).toEqual([{ name, ...expected }]);
});

test.each([
  ['nofile', ''],
  ['nofile', 'x'],
  ['files', '1'],
  ['nofile', '2:1'],
  ['nofile', '-1:5'],
  ['nofile', 1.5],
])('ulimits refuses %s=%j', (name, limit) => {
  expect(() => ulimits({ [name]: limit })).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test.each([
  [
    { memory: '1g', 'memory-swap': -1 },
    { memory: 1024 ** 3, memorySwap: -1 },
  ],
  [
    { memory: '64m', cpus: 1.5, pids: '100' },
    { memory: 64 * 1024 ** 2, cpuPeriod: 100_000, cpuQuota: 150_000, pids: 100 },
  ],
  [
    { 'cpuset-cpus': '0-2,4', 'cpu-shares': 512 },
    { cpusetCpus: '0-2,4', cpuShares: 512 },
  ],
  [{}, undefined],
])('resources reads %j', (limits, expected) => {
  expect(resources(limits)).toEqual(expected);
});

test.each([
  ['memory', ''],
  ['memory', 'x'],
  ['memory', 0],
  ['cpus', '0'],
  ['cpus', 'a'],
  ['disk', '1'],
  ['pids', '-1'],
  ['cpuset-cpus', 'a'],
])('resources refuses %s=%j', (name, value) => {
  expect(() => resources({ [name]: value })).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('cgroupParent refuses a path that leads out of the hierarchy', () => {
  expect(cgroupParent('ci/builds')).toBe('ci/builds');
  expect(() => cgroupParent('/ci/../..')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('extraHosts accepts names with addresses and host-gateway', () => {
  const good = ['a:1.2.3.4', 'a=1.2.3.4', 'a:::1', 'a:[2001:db8::1]', 'a=2001:db8::1', 'a:host-gateway'];
  expect(extraHosts(good)).toEqual(good);
});

test.each(['a', 'a:', ':1.2.3.4', 'a:b', 'a=1.2.3', 'a:[::1'])('extraHosts refuses %s', (text) => {
  expect(() => extraHosts([text])).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('entitlements leaves out what is allowed to outputs', () => {
  expect(entitlements(['network.host', 'buildx.local.delete', 'security.insecure'])).toEqual([
    'network.host',
    'security.insecure',
  ]);
});
