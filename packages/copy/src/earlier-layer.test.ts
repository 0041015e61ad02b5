import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, digestSelection, openDirectory, selectFiles } from '@tbuild/context';
import type { Layer } from '@tbuild/oci';
import { newDirectory, shell, writableFlavours } from '@tbuild/snapshot/testsuite';
import { beforeEach, expect, test } from 'vitest';
import type { CopyOptions, CopyTarget } from './copy-options.ts';
import { type LayerBefore, writeLayer } from './write-layer.ts';

const root = newDirectory();
const at = (name: string): string => join(root, name);
const content = createLocalStore(at('store'));
const [flavour = 'user'] = writableFlavours();

beforeEach(() => {
  for (const name of ['source', 'lower', 'store']) {
    rmSync(at(name), { recursive: true, force: true });
    mkdirSync(at(name));
  }
});

interface Way {
  readonly earlier?: LayerBefore;
  readonly op?: Partial<CopyTarget>;
  readonly options?: Partial<CopyOptions>;
}

function write({ earlier, op, options }: Way = {}): Layer | undefined {
  const hasher = createFileHasher();
  const sources = runSync(selectFiles(openDirectory(at('source')), { sources: ['.'] }));
  runSync(digestSelection(sources, { hasher, owner: 'root' }));
  const target = { destination: '/files', keepOwner: false, ...op };
  const settled = { now: 1e12, hasher, ...options };
  return runSync(writeLayer({ sources, target, options: settled, lowers: [at('lower')], flavour, earlier }, content));
}

function written(way?: Way): Layer {
  const layer = write(way);
  if (layer === undefined) throw new Error('Expected the layer to be written without a tree');
  return layer;
}

const LONG = 'n'.repeat(180);
const FILES = `mkdir -p a/b c "$LONG"; for f in a/b/y a/x a-b a.b c/y c/z "$LONG/$LONG" empty; do echo "of $f" > "$f"; done; : > empty
head -c 3000000 /dev/zero | tr '\\0' x > b; ln -s a/x link; find . -exec touch -h -d '2020-01-01 00:00:01.25' {} +`;
const all = (command: string): string => shell(`LONG=${LONG}; ${command}`, at('source'));

/**
 * Declares which files changed. The bytes of all others must come from the earlier layer, whatever the files contain
 * now.
 */
const changes: [what: string, command: string, changed: string[]][] = [
  ['nothing', ':', []],
  ['the first file changes', 'echo other > a/b/y', ['a/b/y']],
  ['a file in the middle gets longer', 'seq 1 100000 > a.b', ['a.b']],
  ['the last file changes', 'echo other > "$LONG/$LONG"', [`${LONG}/${LONG}`]],
  ['a file and a directory are removed', 'rm -r a-b c', []],
  ['files are added at both ends and between', 'echo > 0; echo > a/b/z; echo > zz', ['0', 'a/b/z', 'zz']],
  ['a directory becomes a file', 'rm -r c; echo > c', ['c']],
  ['a link becomes a file', 'rm link; echo > link', ['link']],
  ['only times and modes change', 'touch a/x b; chmod 600 c/z; chmod 700 c', []],
  ['all files change', 'for f in a/b/y a/x a-b; do echo "now $f" > $f; done', ['a/b/y', 'a/x', 'a-b']],
];

test.each(changes)(
  'A layer with unchanged files from an earlier layer equals one written from scratch: %s',
  (_, command, changed) => {
    all(FILES);
    const { diffId: digest } = written();
    all(command);
    const plain = written();
    expect(written({ earlier: { digest, changed: new Set(changed) } })).toEqual(plain);
    expect(readdirSync(at('store/tmp'))).toEqual([]);
  },
);

test('The bytes of unchanged files come from the earlier layer', () => {
  all(FILES);
  const before = written();
  all(
    `for f in a/x b; do tr 'a-z' 'A-Z' < $f > new; touch -r $f new; mv new $f; done; touch -d '2020-01-01 00:00:01.25' . a`,
  );
  expect(written({ earlier: { digest: before.diffId, changed: new Set() } })).toEqual(before);
});

test('Files from an earlier layer get the current owners, modes and times', () => {
  all(FILES);
  const { diffId: digest } = written();
  const way = { op: { chmod: 0o640 }, options: { owner: { uid: 3, gid: 4 }, now: 1e12 } };
  expect(written({ ...way, earlier: { digest, changed: new Set() } })).toEqual(written(way));
});

test('Files from an earlier layer can replace existing files', () => {
  all(FILES);
  shell('mkdir -p files/a; cp -p ../source/a/x files/a/x; echo > files/b', at('lower'));
  const before = written();
  expect(written({ earlier: { digest: before.diffId, changed: new Set() } })).toEqual(before);
});

test.each([
  ['missing', (path: string) => rmSync(path)],
  ['empty', (path: string) => truncateSync(path, 0)],
])('An earlier layer that is %s is ignored', (_, damage) => {
  all(FILES);
  const before = written();
  damage(content.path(before.diffId));
  expect(written({ earlier: { digest: before.diffId, changed: new Set() } })).toEqual(before);
});

function overwrite(path: string, at: number, text: string): void {
  const file = openSync(path, 'r+');
  writeSync(file, text, at);
  closeSync(file);
}

const damages: [what: string, damage: (path: string) => void][] = [
  ['a byte of a file', (path) => overwrite(path, readFileSync(path).indexOf('of a/x'), 'O')],
  ['a byte of a changed file', (path) => overwrite(path, readFileSync(path).indexOf('of c/z'), 'O')],
  ['a header', (path) => overwrite(path, readFileSync(path).indexOf('files/a/x'), 'F')],
  ['the end', (path) => truncateSync(path, readFileSync(path).indexOf('of a/x') + 3)],
];

test.each(damages)('A damaged earlier layer gives no layer and leaves no temporary file: %s', (_, damage) => {
  all(FILES);
  const { diffId: digest } = written();
  damage(content.path(digest));
  expect(write({ earlier: { digest, changed: new Set(['c/z']) } })).toBeUndefined();
  expect(readdirSync(at('store/tmp'))).toEqual([]);
});
