import { expect, test } from 'vitest';
import type { Sandbox } from '../executor.ts';
import { givenCapabilities, runtimeConfig, type RuntimeLayout } from './runtime-config.ts';

const sandbox: Sandbox = {
  root: { upper: '/u', lowers: [], mount: { type: 'bind', source: '/u', options: ['bind'], directory: '/u' } },
  mounts: [],
  process: { args: ['sh'], env: ['A=1'], cwd: '/w', user: { uid: 33, gid: 34, groups: [5] } },
  hostname: 'host',
  network: 'host',
  security: 'sandbox',
};
const layout: RuntimeLayout = {
  rootfs: '/r',
  mounts: [],
  groups: [],
  ownCgroupNamespace: false,
  needsNodev: false,
  args: ['/proc/self/fd/3'],
  flavour: 'trusted',
  capabilities: (1n << 41n) - 1n,
};
const bind = { type: 'bind', source: '/s', target: '/t', readonly: true } as const;

test.each<[name: string, sandbox: Partial<Sandbox>, layout: Partial<RuntimeLayout>, expected: object]>([
  [
    'process',
    {},
    {},
    {
      process: { args: ['/proc/self/fd/3'], env: [], cwd: '/w', user: { uid: 0, gid: 0 } },
      hostname: 'host',
      root: { path: '/r' },
    },
  ],
  [
    'host network',
    {},
    {},
    { linux: { namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }] } },
  ],
  ['no network', { network: 'none' }, {}, { linux: { namespaces: expect.arrayContaining([{ type: 'network' }]) } }],
  [
    'own control groups',
    {},
    { ownCgroupNamespace: true },
    { linux: { namespaces: expect.arrayContaining([{ type: 'cgroup' }]) } },
  ],
  [
    'insecure',
    { security: 'insecure' },
    {},
    {
      process: { capabilities: { bounding: expect.arrayContaining(['CAP_SYS_ADMIN', 'CAP_BPF']) } },
      linux: expect.not.objectContaining({ maskedPaths: expect.anything() }),
    },
  ],
  [
    'only capabilities that this process has',
    {},
    { capabilities: 0b1001n },
    { process: { capabilities: { permitted: ['CAP_CHOWN', 'CAP_FOWNER'] } } },
  ],
  [
    'shared memory',
    { shmSize: 1 << 20 },
    {},
    {
      mounts: expect.arrayContaining([
        expect.objectContaining({ destination: '/dev/shm', options: expect.arrayContaining(['size=1024k']) }),
      ]),
    },
  ],
  [
    '/sys in a user namespace',
    {},
    { flavour: 'user' },
    { mounts: expect.arrayContaining([expect.objectContaining({ destination: '/sys', source: '/sys' })]) },
  ],
  [
    'bind',
    {},
    { mounts: [{ placed: { mount: bind, target: 't', kind: 'file' }, source: '/s' }] },
    { mounts: expect.arrayContaining([{ destination: '/t', type: 'none', source: '/s', options: ['rbind', 'ro'] }]) },
  ],
])('runtimeConfig describes %s', (_, changes, where, expected) => {
  expect(runtimeConfig({ ...sandbox, ...changes }, { ...layout, ...where })).toMatchObject(expected);
});

test('givenCapabilities drops capabilities without a name', () => {
  const all = (1n << 64n) - 1n;
  const { process } = runtimeConfig(sandbox, { ...layout, capabilities: givenCapabilities(all) }) as {
    process: { capabilities: { permitted: string[] } };
  };
  expect(process.capabilities.permitted).toHaveLength(41);
  expect(givenCapabilities(0b1001n)).toBe(0b1001n);
});
