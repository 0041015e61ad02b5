import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { loadDeviceFilter } from './device-filter.ts';

const hierarchy = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(join(path, 'cgroup.procs')));
const group = join(hierarchy ?? '', `tbuild-filter-test-${process.pid}`);
const directory = mkdtempSync(join(tmpdir(), 'devices-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
  if (existsSync(group)) rmdirSync(group);
});

const hasCgroups = { met: hierarchy !== undefined, lacks: 'cgroup v2' };

describe('a control group with a device filter', needs('root', hasCgroups), () => {
  test('lets its processes make nodes of all devices and open only the allowed ones', () => {
    mkdirSync(group);
    loadDeviceFilter([{ major: 1, minor: 3 }, { major: 136 }]).attach(group);
    const script = [
      `echo 0 > ${group}/cgroup.procs && cd ${directory}`,
      'for device in null:c:1:3 zero:c:1:5 mem:b:1:3; do IFS=: read -r name kind major minor <<END',
      '$device',
      'END',
      'mknod "$name" "$kind" "$major" "$minor" && ( : < "$name" ) 2> /dev/null && echo "$name"; done; true',
    ].join('\n');
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe('null\n');
  });
});
