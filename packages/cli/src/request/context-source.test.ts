import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { contextSource } from './context-source.ts';

const cwd = mkdtempSync(join(tmpdir(), 'context-source-'));
mkdirSync(join(cwd, 'github.com/local'), { recursive: true });
writeFileSync(join(cwd, 'file'), '');
mkdirSync(join(cwd, 'dir'));
afterAll(() => rmSync(cwd, { recursive: true }));

test.each([
  ['.', { kind: 'directory', path: cwd }],
  ['github.com/local', { kind: 'directory', path: join(cwd, 'github.com/local') }],
  ['github.com/x/y', { kind: 'git', url: 'https://github.com/x/y.git' }],
  ['github.com/x/y.git#v1:dir', { kind: 'git', url: 'https://github.com/x/y.git', ref: 'v1', subdirectory: 'dir' }],
  ['github.com/x/y?ref=v1', { kind: 'git', url: 'https://github.com/x/y.git', ref: 'v1' }],
  ['git@host:x/y.git', { kind: 'git', url: 'git@host:x/y.git' }],
  ['ssh://git@host/x/y#main', { kind: 'git', url: 'ssh://git@host/x/y', ref: 'main' }],
  ['https://host/x.git', { kind: 'git', url: 'https://host/x.git' }],
  ['https://host/x.tar.gz', { kind: 'http', url: 'https://host/x.tar.gz' }],
  ['github.com/../github.com/local', { kind: 'directory', path: join(cwd, 'github.com/local') }],
  // Read as paths, all of these would be "dir".
  ['https://host/../../dir', { kind: 'http', url: 'https://host/../../dir' }],
  ['https://x.git/../../dir#.git', { kind: 'http', url: 'https://x.git/../../dir#.git' }],
  ['ssh://git@host/../../../dir', { kind: 'git', url: 'ssh://git@host/../../../dir' }],
  ['git@host:x/../../dir', { kind: 'git', url: 'git@host:x/../../dir' }],
  ['git://host/../../dir', { kind: 'git', url: 'git://host/../../dir' }],
  ['http://host/Dockerfile', { kind: 'http', url: 'http://host/Dockerfile' }],
])('contextSource reads %s', (text, source) => {
  expect(contextSource(text, cwd)).toEqual(source);
});

test('a missing path is named in the error', () => {
  expect(() => contextSource('./none', cwd)).toThrow('path "./none" not found');
  expect(() => contextSource(import.meta.filename, cwd)).toThrow('is not a directory');
  expect(() => contextSource('./none', cwd, 'deps')).toThrow(
    'Unable to prepare context "deps": path "./none" not found',
  );
});

test('github.com is a path only where there is a directory of that name', () => {
  expect(contextSource('github.com/../dir', join(cwd, 'dir'))).toMatchObject({ kind: 'git' });
});

test.each(['file:///etc', 'ftp://host/../../dir', 'https://user:secret@host/x.git?none=1'])(
  '%s is refused, and the message omits the password',
  (text) => {
    expect(() => contextSource(text, cwd)).toThrow(/^Context "[^"]+" is not valid: /);
    expect(() => contextSource(text, cwd)).not.toThrow('secret');
  },
);
