import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';
import { DEVICES, makeDevice } from '../devices.ts';

/**
 * Makes a /dev of device nodes. There is no /proc for /dev/stdout to lead to: the caller puts the pipes of
 * the step's output there.
 *
 * @throws TbuildError UNSUPPORTED where device nodes may not be made.
 */
export function makeDevices(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
  makeNodes(path);
  for (const name of ['shm', 'mqueue', 'pts']) {
    mkdirSync(`${path}/${name}`);
    chmodSync(`${path}/${name}`, name === 'pts' ? 0o755 : 0o1777);
  }
  symlinkSync('null', `${path}/stdin`);
}

function makeNodes(path: string): void {
  try {
    for (const device of DEVICES) makeDevice(`${path}/${device.name}`, device);
  } catch (cause) {
    if (errnoName(cause) !== 'EPERM') throw cause;
    throw new TbuildError('UNSUPPORTED', 'Device nodes cannot be made here, which chroot isolation needs for /dev', {
      hint: 'Run the container with the capability MKNOD',
      cause,
    });
  }
}
