import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { patiently } from '../../../../test/support/patience.ts';
import { digestSelection, openDirectory, openStatIndex, selectFiles } from '../index.ts';

const base = mkdtempSync(join(tmpdir(), 'selection-memory-'));
const root = join(base, 'context');
const file = join(base, 'index/one');
const at = (path: string): string => join(root, path);
afterAll(() => rmSync(base, { recursive: true }));

beforeEach(() => {
  rmSync(base, { recursive: true, force: true });
  mkdirSync(at('files/empty'), { recursive: true });
  for (const name of ['a', 'b', 'c']) writeFileSync(at(`files/${name}`), name);
  symlinkSync('a', at('files/link'));
});

/** Runs what one build does. Returns the digest, and whether single files were looked up. */
function build(sources = ['files'], shown = false): { digest: string; looked: boolean } {
  mkdirSync(join(base, 'index'), { recursive: true });
  writeFileSync(file, 'damaged');
  const hasher = openStatIndex(file);
  const selection = runSync(selectFiles(openDirectory(root), { sources }));
  const digest = runSync(hasher.openSelection(selection, { owner: 'root', shown }).digest());
  hasher.save();
  return { digest, looked: readFileSync(file, 'latin1') !== 'damaged' };
}

/** Returns the digest without a memory. */
function fresh(): string {
  const hasher = openStatIndex(join(base, 'index/unused'));
  return runSync(
    digestSelection(runSync(selectFiles(openDirectory(root), { sources: ['files'] })), { hasher, owner: 'root' }),
  );
}

/** Waits longer than two changes can have the same times. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
}

test('an unchanged selection is not looked up again, whatever else is selected', async () => {
  await settle();
  const [first, other] = [build(), build(['files/a', 'files/empty'])];
  expect([first.looked, other.looked]).toEqual([true, true]);
  expect(build()).toEqual({ digest: first.digest, looked: false });
  expect(build(['files/a', 'files/empty'])).toEqual({ digest: other.digest, looked: false });
  expect(build(['files/b', 'files/empty']).looked).toBe(true);
  expect(build(['files'], true).looked).toBe(true);
});

const changes: [string, () => void][] = [
  ['another content', () => writeFileSync(at('files/b'), 'B')],
  [
    'another content with the same size and time',
    () => {
      utimesSync(at('files/b'), 1e9, 1e9);
      build();
      writeFileSync(at('files/b'), 'B');
      utimesSync(at('files/b'), 1e9, 1e9);
    },
  ],
  ['another mode', () => chmodSync(at('files/b'), 0o600)],
  ['the mode of a directory', () => chmodSync(at('files/empty'), 0o700)],
  ['a new file', () => writeFileSync(at('files/empty/new'), '')],
  ['a file less', () => rmSync(at('files/b'))],
  ['another name', () => renameSync(at('files/b'), at('files/d'))],
  [
    'names exchanged',
    () => {
      renameSync(at('files/a'), at('files/x'));
      renameSync(at('files/b'), at('files/a'));
      renameSync(at('files/x'), at('files/b'));
    },
  ],
  [
    'another target of a link',
    () => {
      rmSync(at('files/link'));
      symlinkSync('b', at('files/link'));
    },
  ],
  [
    'a directory in the place of a file',
    () => {
      rmSync(at('files/b'));
      mkdirSync(at('files/b'));
    },
  ],
  [
    'another directory moved to its place',
    () => {
      mkdirSync(at('other'));
      writeFileSync(at('other/a'), 'A');
      renameSync(at('files'), at('old'));
      renameSync(at('other'), at('files'));
    },
  ],
];
test.each(changes)('a change is detected: %s', async (_, change) => {
  await settle();
  const { digest } = build();
  change();
  const changed = build();
  expect(changed).toEqual({ digest: fresh(), looked: true });
  expect(changed.digest).not.toBe(digest);
});

test('a file that changed just before is looked up once more', async () => {
  const expected = [true, true, true, false];
  let looked: readonly boolean[] = [];
  // On a loaded machine a change may be old by the time of the second build.
  for (let tries = 0; tries < 50 && looked.join() !== expected.join(); tries++) {
    writeFileSync(at('files/a'), `change ${tries}`);
    const young = [build().looked, build().looked];
    await settle();
    looked = [...young, build().looked, build().looked];
  }
  expect(looked).toEqual(expected);
});

test('haveStableStats reports whether a later change of any file would show', async () => {
  const haveStableStats = (): boolean => {
    const hasher = openStatIndex(file);
    const selection = runSync(selectFiles(openDirectory(root), { sources: ['files'] }));
    runSync(hasher.openSelection(selection, { owner: 'root' }).digest());
    hasher.save();
    return hasher.haveStableStats(selection);
  };
  /** On a loaded machine a change may be old by the time it is looked at. */
  const afterChange = (): boolean => {
    let stable = true;
    for (let tries = 0; tries < 50 && stable; tries++) {
      writeFileSync(at('files/a'), `change ${tries}`);
      stable = haveStableStats();
    }
    return stable;
  };
  expect(afterChange()).toBe(false);
  await settle();
  expect([haveStableStats(), haveStableStats()]).toEqual([true, true]);
  expect(afterChange()).toBe(false);
});

test('the files of another directory that took the place of the context for a moment are not remembered', async () => {
  const [link, other] = [join(base, 'current'), join(base, 'other')];
  const show = (target: string): void => {
    rmSync(link, { force: true });
    symlinkSync(target, link);
  };
  mkdirSync(join(other, 'files'), { recursive: true });
  for (const name of ['a', 'b', 'c']) writeFileSync(join(other, 'files', name), name.toUpperCase());
  linkSync(at('files/link'), join(other, 'files/link'));
  await settle();
  show(root);
  const digest = (whileReading = (): void => {}): string => {
    const hasher = openStatIndex(file);
    const selection = runSync(selectFiles(openDirectory(link), { sources: ['files'] }));
    whileReading();
    const found = runSync(hasher.openSelection(selection, { owner: 'root' }).digest());
    hasher.save();
    return found;
  };
  expect(digest(() => show(other))).not.toBe(fresh());
  show(root);
  expect(digest()).toBe(fresh());
});

test('a second name of a file does not change its digest', async () => {
  await settle();
  const { digest } = build();
  linkSync(at('files/a'), at('elsewhere'));
  expect(build()).toEqual({ digest, looked: true });
});

test.each([
  ['empty', (bytes: Buffer) => bytes.subarray(0, 0)],
  ['cut', (bytes: Buffer) => bytes.subarray(0, 100)],
  ['changed', (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 90 ? byte ^ 1 : byte)))],
])('a damaged memory is an empty memory: %s', async (_, damage) => {
  await settle();
  const { digest } = build();
  expect(build().looked).toBe(false);
  writeFileSync(`${file}.selections`, damage(readFileSync(`${file}.selections`)));
  expect(build()).toEqual({ digest, looked: true });
});

test('digests of files are known only for the files that were hashed, after another directory was in their place', async () => {
  await settle();
  const before = openStatIndex(file);
  const listed = openDirectory(root).list('files');
  build();
  mkdirSync(at('other'));
  for (const name of ['a', 'b', 'c']) writeFileSync(at(`other/${name}`), name.toUpperCase());
  renameSync(at('files'), at('old'));
  renameSync(at('other'), at('files'));
  build();
  expect(listed.map((entry) => before.known(entry))).toEqual(listed.map(() => undefined));
});

test('a selection is new before its first digest, unless stats cannot be stable', async () => {
  await settle();
  const digest = (): string[] => {
    const events: string[] = [];
    const hasher = openStatIndex(file);
    const selection = runSync(selectFiles(openDirectory(root), { sources: ['files'] }));
    const opened = hasher.openSelection(selection, { owner: 'root' });
    if (opened.isNew) events.push(hasher.haveStableStats(selection) ? 'stable' : 'new');
    runSync(opened.digest());
    events.push(hasher.haveStableStats(selection) ? 'stable' : 'not stable');
    hasher.save();
    return events;
  };
  expect(digest()).toEqual(['new', 'stable']);
  expect(digest()).toEqual(['stable']);
  // On a loaded machine a change may be old by the time it is looked at.
  await vi.waitFor(() => {
    writeFileSync(at('files/a'), randomUUID());
    expect(digest()).toEqual(['not stable']);
  }, patiently);
});
