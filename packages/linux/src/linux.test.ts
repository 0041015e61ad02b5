import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  FileType,
  lgetxattr,
  llistxattr,
  lsetxattr,
  majorOf,
  makedev,
  minorOf,
  mknod,
  removeTree,
  tryFlock,
} from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'linux-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('extended attributes are set, read, listed and removed', () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  expect(lgetxattr(file, 'user.a')).toBeUndefined();
  lsetxattr(file, 'user.a', Buffer.from('x\0y'));
  lsetxattr(file, 'user.empty', Buffer.alloc(0));
  expect(lgetxattr(file, 'user.a')?.toString()).toBe('x\0y');
  expect(lgetxattr(file, 'user.empty')?.length).toBe(0);
  expect(llistxattr(file).sort()).toEqual(['user.a', 'user.empty']);
});

test('a failed call throws an error with the code of the system', () => {
  const missing = join(directory, 'missing');
  expect(() => lgetxattr(missing, 'user.a')).toThrow(expect.objectContaining({ code: 'ENOENT', path: missing }));
  expect(() => mknod(directory, FileType.fifo | 0o600, 0)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
});

test('extended attributes are read from a symbolic link, not from its target', () => {
  symlinkSync('nowhere', join(directory, 'link'));
  expect(llistxattr(join(directory, 'link'))).toEqual([]);
});

test('mknod makes a FIFO and, without privileges, the whiteout device', () => {
  mknod(join(directory, 'fifo'), FileType.fifo | 0o600, 0);
  mknod(join(directory, 'whiteout'), FileType.character, 0);
  expect(lstatSync(join(directory, 'fifo')).isFIFO()).toBe(true);
  expect(lstatSync(join(directory, 'whiteout')).rdev).toBe(0);
});

test.each([
  [0, 0, 0],
  [8, 1, 0x801],
  [259, 0x12345, 0x12310345],
  [0x12345, 7, 0x1200000034507],
])('makedev(%d, %d) is %d and can be split again', (major, minor, device) => {
  expect(makedev(major, minor)).toBe(device);
  expect([majorOf(device), minorOf(device)]).toEqual([major, minor]);
});

test('a file lock is shared or exclusive, belongs to one open file, and is released when that is closed', () => {
  const file = join(directory, 'lock');
  const [one, two] = [openSync(file, 'a'), openSync(file, 'a')];
  expect([tryFlock(one, 'shared'), tryFlock(two, 'shared'), tryFlock(two, 'exclusive')]).toEqual([true, true, false]);
  closeSync(one);
  expect(tryFlock(two, 'exclusive')).toBe(true);
  const three = openSync(file, 'a');
  expect([tryFlock(three, 'shared'), tryFlock(two, 'shared'), tryFlock(three, 'shared')]).toEqual([false, true, true]);
  closeSync(two);
  closeSync(three);
  expect(() => tryFlock(three, 'shared')).toThrow(expect.objectContaining({ code: 'EBADF' }));
});

test('removeTree removes directories that cannot be read and does not follow links', () => {
  const tree = join(directory, 'tree');
  mkdirSync(join(tree, 'a/b/c'), { recursive: true });
  mkdirSync(join(tree, 'a/shut'));
  chmodSync(join(tree, 'a/shut'), 0);
  writeFileSync(join(tree, 'a/b/file'), '');
  mkdirSync(join(directory, 'kept'));
  symlinkSync(join(directory, 'kept'), join(tree, 'a/link'));
  removeTree(tree);
  expect([existsSync(tree), existsSync(join(directory, 'kept'))]).toEqual([false, true]);
  expect(() => removeTree(tree)).not.toThrow();
});
