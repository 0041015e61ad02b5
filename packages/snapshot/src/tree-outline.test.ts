import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lsetxattr } from '@tbuild/linux';
import { expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { NotOutlined, openLayeredTree, openOutline, outlineOf } from './index.ts';
import { newDirectory } from './test-stack.ts';

const directory = newDirectory();
for (const path of ['srv/app/lib', 'usr/bin']) mkdirSync(join(directory, path), { recursive: true });
writeFileSync(join(directory, 'srv/file'), '');
symlinkSync('srv', join(directory, 'link'));
chmodSync(join(directory, 'srv/app'), 0o2750);
utimesSync(join(directory, 'srv/app'), 1, 1.25);
lsetxattr(join(directory, 'usr/bin'), 'user.label', Buffer.from('no layer has it'));
const tree = openLayeredTree([directory], 'user');

const outlineFor = (...destinations: string[]) => outlineOf(tree, destinations);

test('An outline has the directories to each destination, the names in an existing one, and null for a new one', () => {
  const outline = outlineFor('/srv/app/', '/usr/bin/tool/x', '/srv/app/lib/new');
  expect(Object.keys(outline).sort()).toEqual([
    '',
    'srv',
    'srv/app',
    'srv/app/lib',
    'srv/app/lib/new',
    'usr',
    'usr/bin',
    'usr/bin/tool',
  ]);
  expect(outline['srv/app']).toMatchObject({ mode: 0o2750, mtimeMs: 1250, names: ['lib'] });
  expect(outline['usr/bin']).not.toHaveProperty('names');
  expect(outline['usr/bin/tool']).toBeNull();
});

test('An outline is the same whatever the order of the destinations', () => {
  expect(outlineFor('/srv/app/new', '/srv/app')).toEqual(outlineFor('/srv/app', '/srv/app/new'));
});

test('An outline ends before files and links', () => {
  expect(Object.keys(outlineFor('/srv/file', '/link/app'))).toEqual(['', 'srv']);
});

test(
  'An opened outline shows directories as the tree does, and nothing where the tree has nothing',
  needs('root'),
  () => {
    const outlined = openOutline(JSON.parse(JSON.stringify(outlineFor('/srv/app/'))));
    for (const path of ['', 'srv', 'srv/app']) {
      const [found, real] = [outlined.stat(path), tree.stat(path)];
      expect(found?.stats.isDirectory()).toBe(true);
      const attributes = ({ mode, uid, gid }: NonNullable<typeof real>['stats']) => [mode, uid, gid];
      expect(found && attributes(found.stats)).toEqual(real && attributes(real.stats));
    }
    expect(outlined.stat('srv/app/other')).toBeUndefined();
    expect(outlined.stat('srv/app/other/deep')).toBeUndefined();
  },
);

test.each(['srv/app/lib', 'srv/app/lib/x', 'srv/other', 'usr'])('An opened outline does not know %s', (path) => {
  expect(() => openOutline(outlineFor('/srv/app/')).stat(path)).toThrow(NotOutlined);
});
