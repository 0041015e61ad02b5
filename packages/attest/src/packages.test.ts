import { describe, expect, test } from 'vitest';
import {
  parseApkDatabase,
  parseDpkgStatus,
  parseOsRelease,
  parsePackageJson,
  parsePackageLock,
  purlOf,
  type InstalledPackage,
} from './packages.ts';

const DPKG = `Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <glibc@example.org>
Architecture: amd64
Version: 2.41-12
Description: shared libraries
 Version: of a continuation line

Package: gone
Status: deinstall ok config-files
Version: 1

Package: epoch
Version: 1:2.0+b1
`;

const APK = `C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\nm:Someone <a@example.org>\n\nP:busybox\nV:1.36.1-r5\nA:x86_64\n\n`;

const LOCK = JSON.stringify({
  lockfileVersion: 3,
  packages: {
    '': { name: 'app', version: '1.0.0' },
    'node_modules/left': { version: '1.2.3', license: 'MIT' },
    'node_modules/left/node_modules/@scope/right': { version: '2.0.0' },
    'node_modules/tool': { version: '9.0.0', dev: true },
    'node_modules/linked': { link: true, resolved: 'packages/linked' },
  },
});

const named = (packages: readonly InstalledPackage[]) => packages.map(({ name, version }) => `${name}@${version}`);

describe('package databases', () => {
  test.each([
    [
      'a dpkg status file, without removed packages and continuation lines',
      parseDpkgStatus(DPKG, 's'),
      ['libc6@2.41-12', 'epoch@1:2.0+b1'],
    ],
    ['apk', parseApkDatabase(APK, 's'), ['musl@1.2.5-r0', 'busybox@1.36.1-r5']],
    ['npm package', parsePackageJson('{"name":"@a/b","version":"1.0.0"}', 's'), ['@a/b@1.0.0']],
    ['npm package without a version', parsePackageJson('{"name":"x"}', 's'), []],
    ['npm package with invalid JSON', parsePackageJson('{', 's'), []],
    [
      'npm lock file, without development dependencies, links and the root',
      parsePackageLock(LOCK, 's'),
      ['left@1.2.3', '@scope/right@2.0.0'],
    ],
    ['npm lock file of version 1', parsePackageLock('{"dependencies":{}}', 's'), []],
  ])('The packages of: %s', (_, found, expected) => expect(named(found)).toEqual(expected));

  test.each([
    [
      'deb',
      { kind: 'deb', name: 'libstdc++6', version: '1:2', architecture: 'amd64' },
      { id: 'debian', version: '13' },
      'pkg:deb/debian/libstdc%2B%2B6@1%3A2?arch=amd64&distro=debian-13',
    ],
    ['deb without a release', { kind: 'deb', name: 'a', version: '1' }, undefined, 'pkg:deb/debian/a@1'],
    [
      'apk',
      { kind: 'apk', name: 'musl', version: '1.2-r0', architecture: 'x86_64' },
      { id: 'alpine', version: '3.20.1' },
      'pkg:apk/alpine/musl@1.2-r0?arch=x86_64&distro=alpine-3.20.1',
    ],
    ['npm with a scope', { kind: 'npm', name: '@a/b', version: '1.0.0' }, undefined, 'pkg:npm/%40a/b@1.0.0'],
  ] as const)('The package URL of: %s', (_, one, distribution, expected) =>
    expect(purlOf({ ...one, source: 's' }, distribution)).toBe(expected),
  );

  test('os-release gives the ID and version of the distribution', () => {
    expect(parseOsRelease('PRETTY_NAME="Debian"\nVERSION_ID="13"\nID=debian\n')).toEqual({
      id: 'debian',
      version: '13',
    });
    expect(parseOsRelease('NAME=x\n')).toBeUndefined();
  });
});
