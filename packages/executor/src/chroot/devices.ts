import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';
import { FileType, makedev, mknod } from '@tbuild/linux';

const DEVICES: readonly (readonly [name: string, major: number, minor: number])[] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
];

/**
 * Makes a /dev of device nodes. There is no /proc for /dev/stdout to lead to: the caller puts the pipes of
 * the step's output there.
 *
 * @throws TbuildError UNSUPPORTED where device nodes may not be made.
 */
export function makeDevices(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o755);
  for (const [name, major, minor] of DEVICES) makeDevice(`${path}/${name}`, makedev(major, minor));
  for (const name of ['shm', 'mqueue', 'pts']) {
    mkdirSync(`${path}/${name}`);
    chmodSync(`${path}/${name}`, name === 'pts' ? 0o755 : 0o1777);
  }
  symlinkSync('null', `${path}/stdin`);
}

function makeDevice(path: string, device: number): void {
  try {
    mknod(path, FileType.character, device);
    chmodSync(path, 0o666);
  } catch (cause) {
    if (errnoName(cause) !== 'EPERM') throw cause;
    throw new TbuildError('UNSUPPORTED', 'Device nodes cannot be made here, which chroot isolation needs for /dev', {
      hint: 'Run the container with the capability MKNOD',
      cause,
    });
  }
}
