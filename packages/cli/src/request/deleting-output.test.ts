import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Permission } from '@tbuild/spec';
import { afterAll, expect, test } from 'vitest';
import { checkDeletion } from './deleting-output.ts';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'tbuild-delete-')));
afterAll(() => rmSync(directory, { recursive: true }));
const cwd = join(directory, 'work');
for (const name of ['work/out', 'work/app', 'elsewhere', 'store', 'home'])
  mkdirSync(join(directory, name), { recursive: true });
symlinkSync('/', join(cwd, 'everything'));
symlinkSync('../elsewhere', join(cwd, 'escaping'));

const check =
  (destination: string, allowed: readonly Permission[] = []) =>
  () =>
    checkDeletion(
      { type: 'local', mode: 'delete', destination },
      {
        cwd,
        allowed,
        contexts: [{ kind: 'directory', path: join(cwd, 'app') }],
        root: join(directory, 'store'),
        home: join(directory, 'home'),
      },
    );

test.each(['out', 'new/deep', 'app/dist'])('mode=delete is allowed below the working directory: %s', (name) => {
  expect(check(join(cwd, name))).not.toThrow();
});

test.each([join(directory, 'elsewhere'), join(cwd, 'escaping'), join(cwd, 'escaping/new')])(
  'elsewhere only when that is allowed: %s',
  (destination) => {
    expect(check(destination)).toThrow(/not below the working directory/);
    expect(check(destination, ['buildx.local.delete'])).not.toThrow();
  },
);

test.each([
  ['everything', '/'],
  ['everything through a link', join(cwd, 'everything')],
  ['the context', join(cwd, 'app')],
  ['what holds the context', cwd],
  ['the store', join(directory, 'store')],
  ['the home directory', join(directory, 'home')],
])('mode=delete is never allowed for %s', (_, destination) => {
  expect(check(destination, ['buildx.local.delete'])).toThrow(/is in it/);
});
