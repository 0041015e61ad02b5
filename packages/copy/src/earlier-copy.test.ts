import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { createFileHasher, digestSelection, openDirectory, selectFiles } from '@tbuild/context';
import { resultId } from '@tbuild/graph';
import { digestOf } from '@tbuild/oci';
import { createTreeWriter } from '@tbuild/snapshot';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { copyFiles } from './copy-files.ts';
import { filesInTree, isRemembered, openEarlierCopy, rememberCopy } from './earlier-copy.ts';

const base = mkdtempSync(join(tmpdir(), 'earlier-copy-'));
const [source, note] = [join(base, 'source'), join(base, 'notes/one')];
afterAll(() => rmSync(base, { recursive: true }));

/** Copies all files to /files of a new tree, shares files with the remembered tree, and remembers the new one. */
function copyTo(name: string, mode?: number): string {
  const upper = join(base, digestOf(name).slice('sha256:'.length));
  mkdirSync(upper);
  const writer = createTreeWriter({ upper, lowers: [], flavour: 'trusted' });
  const selection = runSync(selectFiles(openDirectory(source), { sources: ['.'] }));
  const hasher = createFileHasher();
  runSync(digestSelection(selection, { hasher, owner: 'root' }));
  expect(isRemembered(selection)).toBe(true);
  const earlier = openEarlierCopy(note, selection, hasher);
  const written = earlier && filesInTree(earlier, join(base, earlier.result.slice('sha256:'.length)));
  runSync(
    copyFiles(selection, writer, {
      target: { destination: '/files', keepOwner: false, chmod: mode },
      options: { now: 1e12, hasher, written },
    }),
  );
  rememberCopy(note, { result: resultId(digestOf(name)), selection, hasher });
  writer.finish();
  return join(upper, 'files');
}

test('A repeated copy shares files with the same bytes and attributes, and writes the others', needs('root'), () => {
  mkdirSync(source);
  for (let file = 0; file < 600; file++) writeFileSync(join(source, String(file)), `content of ${file}`);
  const first = copyTo('first');
  const { atimeMs, mtimeMs } = statSync(join(source, '1'));
  writeFileSync(join(source, '1'), 'CONTENT OF 1');
  utimesSync(join(source, '1'), atimeMs / 1000, mtimeMs / 1000);
  utimesSync(join(source, '2'), 1e9, 1e9);
  writeFileSync(join(source, 'new'), 'new');
  const second = copyTo('second');
  const isShared = (name: string): boolean => statSync(join(first, name)).ino === statSync(join(second, name)).ino;
  expect(['0', '1', '2', '599'].map(isShared)).toEqual([true, false, false, true]);
  expect(['0', '1', '2', 'new'].map((name) => readFileSync(join(second, name), 'utf8'))).toEqual([
    'content of 0',
    'CONTENT OF 1',
    'content of 2',
    'new',
  ]);
  expect(statSync(join(second, '2')).mtimeMs).toBe(1e12);
  const third = copyTo('third', 0o600);
  expect(statSync(join(third, '0')).mode & 0o777).toBe(0o600);
  expect(statSync(join(second, '0')).mode & 0o777).not.toBe(0o600);
});
