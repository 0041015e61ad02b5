import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDirectory } from '@tbuild/context';
import { afterAll, expect, test } from 'vitest';
import { resolveOwner, resolveUser } from '../index.ts';

const root = mkdtempSync(join(tmpdir(), 'users-'));
mkdirSync(join(root, 'etc'));
mkdirSync(join(root, 'usr'));
writeFileSync(
  join(root, 'usr/passwd'),
  'root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\nweb:x:33:34:web:/var/www:/bin/sh\n1000:x:7:8::/seven:\n',
);
symlinkSync('/usr/passwd', join(root, 'etc/passwd'));
writeFileSync(join(root, 'etc/group'), 'root:x:0:\nstaff:x:50:web,other\nadm:x:4:other,web\nempty:x:60:\n');
const tree = openDirectory(root);
const empty = openDirectory(join(root, 'etc'));
afterAll(() => rmSync(root, { recursive: true }));

const users: [spec: string | undefined, uid: number, gid: number, groups: number[], home: string][] = [
  [undefined, 0, 0, [0], '/root'],
  ['', 0, 0, [0], '/root'],
  ['root', 0, 0, [0], '/root'],
  ['web', 33, 34, [34, 50, 4], '/var/www'],
  ['33', 33, 34, [34, 50, 4], '/var/www'],
  ['web:staff', 33, 50, [50], '/var/www'],
  ['web:60', 33, 60, [60], '/var/www'],
  ['5:staff', 5, 50, [50], '/'],
  ['5:6', 5, 6, [6], '/'],
  ['33:6', 33, 6, [6], '/var/www'],
  ['4321', 4321, 0, [0], '/'],
  // A number, although a user has it as a name.
  ['1000', 1000, 0, [0], '/'],
];
test.each(users)('resolveUser resolves %j', (spec, uid, gid, groups, home) => {
  expect(resolveUser(tree, spec)).toEqual({ uid, gid, groups, home });
});

test.each(['nobody', 'web:nobody'])('resolveUser fails for the unknown name %j', (spec) => {
  expect(() => resolveUser(tree, spec)).toThrow(
    /^unable to find (user|group) nobody: no matching entries in (passwd|group) file$/,
  );
});

test.each(['99999999999', '4294967295', '1:99999999999', 'root:4294967296'])(
  'resolveUser and resolveOwner refuse the number out of range in %s',
  (spec) => {
    const error = expect.objectContaining({
      code: 'DOCKERFILE_SEMANTICS',
      message: expect.stringContaining('is out of range'),
    });
    expect(() => resolveUser(empty, spec)).toThrow(error);
    expect(() => resolveOwner(empty, spec)).toThrow(error);
  },
);

test('resolveUser accepts a number in a tree without /etc/passwd', () => {
  expect(resolveUser(empty, '12')).toEqual({ uid: 12, gid: 0, groups: [0], home: '/' });
});

const owners: [spec: string | undefined, uid: number, gid: number][] = [
  [undefined, 0, 0],
  ['web', 33, 34],
  ['web:staff', 33, 50],
  ['web:7', 33, 7],
  ['12', 12, 12],
  ['12:13', 12, 13],
  ['12:staff', 12, 50],
  ['12:nobody', 12, 12],
  ['web:nobody', 33, 34],
  ['1000', 1000, 1000],
  ['nobody', 0, 0],
  ['nobody:staff', 0, 50],
];
test.each(owners)('resolveOwner resolves %j', (spec, uid, gid) => {
  expect(resolveOwner(tree, spec)).toEqual({ uid, gid });
});

test.each([
  ['a FIFO', (path: string) => execFileSync('mkfifo', [path]), 'is a FIFO, expected a regular file'],
  ['a directory', (path: string) => mkdirSync(path), 'is a directory, expected a regular file'],
  ['a file of 3 GB', sparseFile, 'has 3000000000 bytes, expected at most'],
])('resolveUser refuses a name but accepts root with %s as /etc/passwd or /etc/group', (_what, make, message) => {
  const odd = mkdtempSync(join(root, 'odd-'));
  mkdirSync(join(odd, 'etc'));
  make(join(odd, 'etc/passwd'));
  make(join(odd, 'etc/group'));
  const oddTree = openDirectory(odd);
  expect(() => resolveUser(oddTree, 'web')).toThrow(`"/etc/passwd" of the step's tree ${message}`);
  expect(() => resolveOwner(oddTree, '1:staff')).toThrow(`"/etc/group" of the step's tree ${message}`);
  expect(resolveUser(oddTree, undefined)).toEqual({ uid: 0, gid: 0, groups: [0], home: '/' });
});

function sparseFile(path: string): void {
  writeFileSync(path, '');
  truncateSync(path, 3e9);
}
