import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { contextSource } from './context-source.ts';

const cwd = mkdtempSync(join(tmpdir(), 'context-source-'));
mkdirSync(join(cwd, 'github.com/local'), { recursive: true });
writeFileSync(join(cwd, 'file'), '');
afterAll(() => rmSync(cwd, { recursive: true }));

test.each([
  ['.', { kind: 'directory', path: cwd }],
  ['github.com/local', { kind: 'directory', path: join(cwd, 'github.com/local') }],
  ['file', { kind: 'directory', path: join(cwd, 'file') }],
  ['github.com/x/y', { kind: 'git', url: 'https://github.com/x/y.git' }],
  ['github.com/x/y.git#v1:dir', { kind: 'git', url: 'https://github.com/x/y.git', ref: 'v1', subdirectory: 'dir' }],
  ['github.com/x/y?ref=v1', { kind: 'git', url: 'https://github.com/x/y.git', ref: 'v1' }],
  ['git@host:x/y.git', { kind: 'git', url: 'git@host:x/y.git' }],
  ['ssh://git@host/x/y#main', { kind: 'git', url: 'ssh://git@host/x/y', ref: 'main' }],
  ['https://host/x.git', { kind: 'git', url: 'https://host/x.git' }],
  ['https://host/x.tar.gz', { kind: 'http', url: 'https://host/x.tar.gz' }],
  ['http://host/Dockerfile', { kind: 'http', url: 'http://host/Dockerfile' }],
])('%s', (text, source) => {
  expect(contextSource(text, cwd)).toEqual(source);
});

test('a path that is not there is named', () => {
  expect(() => contextSource('./none', cwd)).toThrow('path "./none" not found');
});
