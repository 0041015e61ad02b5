import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { createFileHasher, openDirectory, selectFiles } from '@tbuild/context';
import { createTreeWriter } from '@tbuild/snapshot';
import { afterAll, expect, test } from 'vitest';
import { addFiles } from './add-files.ts';
import { copyInline } from './copy-inline.ts';
import { makeDirectory } from './make-directory.ts';

const base = mkdtempSync(join(tmpdir(), 'add-files-'));
afterAll(() => rmSync(base, { recursive: true }));

function target(name: string) {
  const upper = join(base, name);
  mkdirSync(upper);
  return { upper, writer: createTreeWriter({ upper, lowers: [], flavour: 'trusted' }) };
}

test('ADD unpacks archives of any name and copies other files', async () => {
  const source = join(base, 'source');
  mkdirSync(join(source, 'in/deep'), { recursive: true });
  writeFileSync(join(source, 'in/deep/f'), 'packed');
  execFileSync('tar', ['-czf', join(source, 'archive.txt'), '-C', join(source, 'in'), '.']);
  writeFileSync(join(source, 'plain.tar'), 'not an archive');
  const { upper, writer } = target('add');
  const selection = runSync(selectFiles(openDirectory(source), { sources: ['archive.txt', 'plain.tar'] }));
  const op = { destination: '/x/', keepOwner: false };
  await addFiles(selection, writer, {
    target: op,
    options: { now: 1e12, hasher: createFileHasher(), owner: { uid: 0, gid: 0 } },
  });
  writer.finish();
  expect(readdirSync(join(upper, 'x'))).toEqual(['deep', 'plain.tar']);
  expect(readFileSync(join(upper, 'x/deep/f'), 'utf8')).toBe('packed');
});

test('A heredoc becomes a file of mode 0644 at the destination', () => {
  const { upper, writer } = target('inline');
  const files = [
    { name: 'EOF', content: 'one' },
    { name: 'two', content: 'zwei\n' },
  ];
  copyInline(files, writer, { target: { destination: '/d/', keepOwner: false }, options: { now: 1e12 } });
  copyInline(files, writer, { target: { destination: '/n', keepOwner: false, chmod: '+x' }, options: { now: 1e12 } });
  writer.finish();
  expect(readFileSync(join(upper, 'd/EOF'), 'utf8')).toBe('one');
  expect(readFileSync(join(upper, 'n'), 'utf8')).toBe('zwei\n');
  expect(statSync(join(upper, 'd/two')).mode & 0o7777).toBe(0o644);
  expect(statSync(join(upper, 'n')).mode & 0o7777).toBe(0o755);
});

test('WORKDIR makes missing directories and keeps existing ones', () => {
  const { upper, writer } = target('mkdir');
  mkdirSync(join(upper, 'a'), { mode: 0o700 });
  makeDirectory(writer, { path: '/a/b/c', mode: 0o755 }, { owner: { uid: 0, gid: 0 }, now: 1e12 });
  makeDirectory(writer, { path: '/a', mode: 0o755 }, { owner: { uid: 0, gid: 0 }, now: 1e12 });
  writer.finish();
  expect(['a', 'a/b', 'a/b/c'].map((path) => statSync(join(upper, path)).mode & 0o7777)).toEqual([0o700, 0o755, 0o755]);
  writeFileSync(join(upper, 'f'), '');
  expect(() => makeDirectory(writer, { path: '/f/x', mode: 0o755 }, { owner: { uid: 0, gid: 0 }, now: 1e12 })).toThrow(
    'not a directory',
  );
});
