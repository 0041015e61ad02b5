import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { purlOf } from '../packages.ts';
import { parseRpmDatabase, RPM_DATABASE } from './parse-rpm-database.ts';

/** Reads a database that rpm wrote (Berkeley DB with the headers of the others), with two packages. */
const read = (name: string): Buffer =>
  gunzipSync(readFileSync(new URL(`../../../../fixtures/rpm/${name}.gz`, import.meta.url)));

const names = ['rpmdb.sqlite', 'Packages.db', 'Packages'];

const main = {
  kind: 'rpm',
  name: 'hello-tool',
  version: '1.2-3',
  epoch: 2,
  architecture: 'noarch',
  license: 'MIT AND Apache-2.0',
  organization: 'Example Works',
  upstream: 'hello-tool-1.2-3.src.rpm',
  source: 'db',
};

describe.each(names)('%s', (name) => {
  test('The parser reads packages whose headers are longer than a page', () => {
    const found = [...parseRpmDatabase(read(name), 'db')].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(found[0]).toEqual(main);
    expect(found[1]).toEqual({ ...main, name: 'hello-tool-sub', license: 'BSD-3-Clause' });
    expect(found).toHaveLength(2);
  });

  test('A truncated or damaged database either parses or throws a RangeError', () => {
    const whole = read(name);
    const outcome = (bytes: Buffer): 'read' | 'refused' => {
      try {
        parseRpmDatabase(bytes, 'db');
        return 'read';
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return 'refused';
      }
    };
    expect(outcome(whole.subarray(0, 6000))).toBe('refused');
    for (let seed = 1; seed <= 300; seed++) {
      const bytes = Buffer.from(whole);
      for (let at = 0; at < 8; at++)
        bytes[(seed * 7919 * (at + 1)) % Math.min(bytes.length, 20_000)] = seed * (at + 31);
      outcome(bytes);
    }
  });
});

test('An empty file has no packages, and a file of another format throws a RangeError', () => {
  expect(parseRpmDatabase(Buffer.alloc(0), 'db')).toEqual([]);
  expect(() => parseRpmDatabase(Buffer.from('hello, this is no database of packages'), 'db')).toThrow(RangeError);
});

test.each([
  ['var/lib/rpm/rpmdb.sqlite', true],
  ['usr/lib/sysimage/rpm/Packages.db', true],
  ['var/lib/rpm/Packages', true],
  ['home/var/lib/rpm/Packages', false],
  ['var/lib/rpm/rpmdb.sqlite-wal', false],
])('RPM_DATABASE.test(%j) is %s', (path, expected) => expect(RPM_DATABASE.test(path)).toBe(expected));

test('The package URL has the epoch, source package and distribution', () => {
  const purl = 'pkg:rpm/fedora/hello-tool@1.2-3?arch=noarch&epoch=2&upstream=hello-tool-1.2-3.src.rpm&distro=fedora-42';
  expect(purlOf({ ...main, kind: 'rpm' }, { id: 'fedora', version: '42' })).toBe(purl);
});
