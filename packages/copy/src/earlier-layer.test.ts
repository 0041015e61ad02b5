import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { beforeEach, expect, test } from 'vitest';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, digestSelection, openDirectory, selectFiles } from '@tbuild/context';
import type { Layer } from '@tbuild/oci';
import { newDirectory, shell, writableFlavours } from '@tbuild/snapshot/testsuite';
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
  if (layer === undefined) throw new Error('The layer cannot be written straight');
  return layer;
}

const LONG = 'n'.repeat(180);
const FILES = `mkdir -p a/b c "$LONG"; for f in a/b/y a/x a-b a.b c/y c/z "$LONG/$LONG" empty; do echo "of $f" > "$f"; done; : > empty
head -c 3000000 /dev/zero | tr '\\0' x > b; ln -s a/x link; find . -exec touch -h -d '2020-01-01 00:00:01.25' {} +`;
const all = (command: string): string => shell(`LONG=${LONG}; ${command}`, at('source'));

/** What is said to have changed, so that the bytes of all others come from the earlier layer, whatever the files have now. */
const changes: [what: string, command: string, changed: string[]][] = [
  ['nothing', ':', []],
  ['the first file', 'echo other > a/b/y', ['a/b/y']],
  ['one in the middle, which is longer', 'seq 1 100000 > a.b', ['a.b']],
  ['the last file', 'echo other > "$LONG/$LONG"', [`${LONG}/${LONG}`]],
  ['a file is gone, and a directory', 'rm -r a-b c', []],
  ['new ones at either end and between', 'echo > 0; echo > a/b/z; echo > zz', ['0', 'a/b/z', 'zz']],
  ['a directory became a file', 'rm -r c; echo > c', ['c']],
  ['a link became a file', 'rm link; echo > link', ['link']],
  ['times and modes alone', 'touch a/x b; chmod 600 c/z; chmod 700 c', []],
  ['everything', 'for f in a/b/y a/x a-b; do echo "now $f" > $f; done', ['a/b/y', 'a/x', 'a-b']],
];

test.each(changes)(
  'a layer that takes from an earlier one what did not change is the same: %s',
  (_, command, changed) => {
    all(FILES);
    const { diffId: digest } = written();
    all(command);
    const plain = written();
    expect(written({ earlier: { digest, changed: new Set(changed) } })).toEqual(plain);
    expect(readdirSync(at('store/tmp'))).toEqual([]);
  },
);

test('the bytes come from the earlier layer', () => {
  all(FILES);
  const before = written();
  all(
    `for f in a/x b; do tr 'a-z' 'A-Z' < $f > new; touch -r $f new; mv new $f; done; touch -d '2020-01-01 00:00:01.25' . a`,
  );
  expect(written({ earlier: { digest: before.diffId, changed: new Set() } })).toEqual(before);
});

test('owners and modes are those of now', () => {
  all(FILES);
  const { diffId: digest } = written();
  const way = { op: { chmod: 0o640 }, options: { owner: { uid: 3, gid: 4 }, fixedTime: 1e12 } };
  expect(written({ ...way, earlier: { digest, changed: new Set() } })).toEqual(written(way));
});

test('over what is there already', () => {
  all(FILES);
  shell('mkdir -p files/a; cp -p ../source/a/x files/a/x; echo > files/b', at('lower'));
  const before = written();
  expect(written({ earlier: { digest: before.diffId, changed: new Set() } })).toEqual(before);
});

test.each([
  ['not there any more', (path: string) => rmSync(path)],
  ['empty', (path: string) => truncateSync(path, 0)],
])('one that is %s is no obstacle', (_, damage) => {
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
  ['a byte of a file that is not taken', (path) => overwrite(path, readFileSync(path).indexOf('of c/z'), 'O')],
  ['a header', (path) => overwrite(path, readFileSync(path).indexOf('files/a/x'), 'F')],
  ['its end', (path) => truncateSync(path, readFileSync(path).indexOf('of a/x') + 3)],
];

test.each(damages)('a damaged one gives no layer, and leaves nothing: %s', (_, damage) => {
  all(FILES);
  const { diffId: digest } = written();
  damage(content.path(digest));
  expect(write({ earlier: { digest, changed: new Set(['c/z']) } })).toBeUndefined();
  expect(readdirSync(at('store/tmp'))).toEqual([]);
});
