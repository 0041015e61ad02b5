import { chmodSync } from 'node:fs';
import { FileType, makedev, mknod } from '@tbuild/linux';

interface Device {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
}

/** The devices of every step. */
export const DEVICES: readonly Device[] = [
  { name: 'null', major: 1, minor: 3 },
  { name: 'zero', major: 1, minor: 5 },
  { name: 'full', major: 1, minor: 7 },
  { name: 'random', major: 1, minor: 8 },
  { name: 'urandom', major: 1, minor: 9 },
  { name: 'tty', major: 5, minor: 0 },
];

/** Makes a device that everybody may use. @throws the system's error, EPERM if nodes may not be made. */
export function makeDevice(path: string, { major, minor }: Device): void {
  mknod(path, FileType.character, makedev(major, minor));
  chmodSync(path, 0o666);
}
