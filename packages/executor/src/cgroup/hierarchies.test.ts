import { expect, test } from 'vitest';
import { parseHierarchies } from './hierarchies.ts';

const v2Controllers = () => ['memory', 'pids'];

test('parseHierarchies reads cgroup v2 alone', () => {
  const mountinfo = '35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
  expect(parseHierarchies({ mountinfo, cgroup: '0::/user.slice/session-1.scope\n' }, v2Controllers)).toEqual([
    {
      version: 2,
      mountPoint: '/sys/fs/cgroup',
      own: '/sys/fs/cgroup/user.slice/session-1.scope',
      controllers: ['memory', 'pids'],
    },
  ]);
});

test('parseHierarchies reads both cgroup versions, v1 first, and ignores other mounts', () => {
  const mountinfo = [
    '21 1 0:20 / /sys rw - sysfs sysfs rw',
    '40 21 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
    '41 21 0:34 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct',
    '42 21 0:35 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
  ].join('\n');
  const cgroup = '2:cpu,cpuacct:/job\n1:name=systemd:/\n0::/\n';
  expect(parseHierarchies({ mountinfo, cgroup }, () => [])).toEqual([
    {
      version: 1,
      mountPoint: '/sys/fs/cgroup/cpu,cpuacct',
      own: '/sys/fs/cgroup/cpu,cpuacct/job',
      controllers: ['cpu', 'cpuacct'],
    },
    { version: 1, mountPoint: '/sys/fs/cgroup/systemd', own: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
    { version: 2, mountPoint: '/sys/fs/cgroup/unified', own: '/sys/fs/cgroup/unified', controllers: [] },
  ]);
});

test('parseHierarchies finds the own group in a container, where the mount shows a subtree', () => {
  const mountinfo = '41 21 0:34 /docker/ab\\040c /cg\\040m/memory ro - cgroup cgroup rw,memory';
  const [inside] = parseHierarchies({ mountinfo, cgroup: '4:memory:/docker/ab c/step\n' }, v2Controllers);
  expect(inside).toMatchObject({ mountPoint: '/cg m/memory', own: '/cg m/memory/step' });
  const [outside] = parseHierarchies({ mountinfo, cgroup: '4:memory:/other\n' }, v2Controllers);
  expect(outside).toMatchObject({ own: '/cg m/memory' });
  const above = '36 21 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup rw';
  expect(parseHierarchies({ mountinfo: above, cgroup: '0::/../../host\n' }, v2Controllers)).toMatchObject([
    { own: '/sys/fs/cgroup' },
  ]);
});
