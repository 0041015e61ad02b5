import { chmodSync, closeSync, mkdirSync, openSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import { DEVICES, makeDevice } from '../sandbox/devices.ts';

/**
 * Creates a /dev with device nodes. Without /proc, /dev/stdout cannot link to a descriptor: the caller puts the pipes
 * of the step's output there.
 *
 * @throws TbuildError UNSUPPORTED if device nodes cannot be made or do not work.
 */
export function makeDevices(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
  makeNodes(path);
  tryNode(`${path}/null`);
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
    throw new TbuildError('UNSUPPORTED', 'Cannot make device nodes here, which chroot isolation needs for /dev', {
      hint: 'Run the container with the capability MKNOD',
      cause,
    });
  }
}

function tryNode(path: string): void {
  try {
    closeSync(openSync(path, 'w'));
  } catch (cause) {
    if (errnoName(cause) !== 'EACCES') throw cause;
    throw new TbuildError('UNSUPPORTED', `Device nodes do not work in "${dirname(path)}"`, {
      hint: 'Choose a store with --root on a file system that is not mounted nodev',
      cause,
    });
  }
}
