import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createOverlaySnapshotter, type ActiveSnapshot, type OverlayFlavour } from '@tbuild/snapshot';
import { inMount, newDirectory, shell, writableFlavours } from '@tbuild/snapshot/testsuite';
import { storeLayout } from '@tbuild/store';
import { describe, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { createDiffer } from './index.ts';
import { TestContent } from './test-tree.ts';

const EMPTY = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/** The script that makes the lower tree of every case. */
const BASE = `mkdir -p etc usr/bin usr/lib/deep gone/sub
  for f in etc/passwd etc/motd usr/bin/tool usr/lib/one usr/lib/two usr/lib/deep/three gone/a gone/sub/b; do echo old > $f; done
  ln -s bin/tool usr/link; find . -exec touch -h -d '2020-01-01 00:00:00.5' {} +`;

const cases: [name: string, script: string, names: string[]][] = [
  ['no change', ':', []],
  [
    'a new file, with its parents',
    'echo new > usr/lib/deep/new',
    ['usr/', 'usr/lib/', 'usr/lib/deep/', 'usr/lib/deep/new'],
  ],
  ['a deleted file', 'rm usr/lib/one', ['usr/', 'usr/lib/', 'usr/lib/.wh.one']],
  ['a deleted directory', 'rm -r gone', ['.wh.gone']],
  ['a file made and deleted', 'echo > x; rm x; echo > usr/x; rm usr/x', []],
  [
    'a directory removed and made again',
    'rm -r usr/lib; mkdir -p usr/lib/deep; touch usr/lib/four; touch usr/lib/deep/five',
    [
      'usr/',
      'usr/lib/',
      'usr/lib/deep/',
      'usr/lib/deep/five',
      'usr/lib/deep/.wh.three',
      'usr/lib/four',
      'usr/lib/.wh.one',
      'usr/lib/.wh.two',
    ],
  ],
  [
    'a directory removed and made again with another mode',
    'rm -r usr/lib; mkdir -m 700 usr/lib',
    ['usr/', 'usr/lib/', 'usr/lib/.wh.deep', 'usr/lib/.wh.one', 'usr/lib/.wh.two'],
  ],
  ['a file in place of a directory', 'rm -r gone; echo > gone', ['gone']],
  [
    'a directory in place of a file',
    'rm etc/motd; mkdir etc/motd; echo > etc/motd/x',
    ['etc/', 'etc/motd/', 'etc/motd/x'],
  ],
  ['a changed mode', 'chmod 600 etc/passwd', ['etc/', 'etc/passwd']],
  ['a mode changed and restored', 'chmod 600 etc/passwd; chmod 644 etc/passwd', []],
  ['a touched file', 'touch etc/passwd', ['etc/', 'etc/passwd']],
  ['a touched directory', 'touch etc', []],
  ['a directory with another owner', 'chown 5:6 usr/lib', ['usr/', 'usr/lib/']],
  ['hard links', 'echo > b; ln b a; ln b c; mkdir d; ln b d/e', ['a', 'b', 'c', 'd/', 'd/e']],
  ['a hard link to a lower file', 'ln etc/passwd copy', ['copy']],
  [
    'a FIFO and a socket, which layers do not contain',
    `mkfifo pipe; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('sock')"`,
    ['pipe'],
  ],
  ['names in byte order', 'mkdir a; touch a/x a-b a.b aB ab', ['a/', 'a/x', 'a-b', 'a.b', 'aB', 'ab']],
];

describe.each(writableFlavours())('packing (%s)', needs('root'), (flavour) => {
  test.each(cases)('contains what changed: %s', async (_, script, names) => {
    const { bytes } = await packOf(flavour, script);
    const listed = list(bytes, 'tf').split('\n').filter(Boolean);
    expect(listed).toEqual(names);
    expect(
      shell(
        "python3 -c \"import tarfile,sys; print(chr(10).join(m.name + ('/' if m.isdir() else '') for m in tarfile.open(sys.argv[1])))\" layer.tar",
        save(bytes),
      )
        .split('\n')
        .filter(Boolean),
    ).toEqual(names);
  });

  test('writes an empty layer as two zero blocks', async () => {
    const { bytes, layer } = await packOf(flavour, ':');
    expect([layer.diffId, bytes.length]).toEqual([EMPTY, 1024]);
  });

  test('keeps the attributes of files', async () => {
    const long = 'n'.repeat(140);
    const { bytes } = await packOf(
      flavour,
      `mkdir d; touch d/file d/é; echo > d/${long}; ln -s ${long} d/link; chown 1:2 d/file
      chmod 4751 d/file; ln -s ../x d/y; python3 -c "import os,struct; os.setxattr('d/file', 'security.capability', struct.pack('<5I', 0x2000001, 0x400, 0, 0, 0))"
      find d -exec touch -h -d '2001-02-03 04:05:06.789' {} +; rm etc/motd`,
    );
    expect(
      list(bytes, 'tvf', '--numeric-owner', '--full-time', '--quoting-style=literal')
        .replace(/ +/g, ' ')
        .split('\n')
        .filter((line) => line.includes('2001')),
    ).toEqual([
      'drwxr-xr-x 0/0 0 2001-02-03 04:05:06 d/',
      '-rwsr-x--x 1/2 0 2001-02-03 04:05:06 d/file',
      `lrwxrwxrwx 0/0 0 2001-02-03 04:05:06 d/link -> ${long}`,
      `-rw-r--r-- 0/0 1 2001-02-03 04:05:06 d/${long}`,
      'lrwxrwxrwx 0/0 0 2001-02-03 04:05:06 d/y -> ../x',
      '-rw-r--r-- 0/0 0 2001-02-03 04:05:06 d/é',
    ]);
    expect(shell(CAPABILITIES, save(bytes)).trim()).toBe('d/file 20');
    expect(list(bytes, 'tvf', '--numeric-owner', '--full-time')).toMatch(
      /---------- 0\/0 +0 1970-01-01 00:00:00 etc\/\.wh\.motd/,
    );
  });

  test('packing, extracting and packing again gives the same bytes', async () => {
    const script =
      'rm -r gone usr/lib; mkdir -p usr/lib; echo new > usr/lib/new; ln usr/lib/new hard; chown 7:8 etc/motd; head -c 3000000 /dev/urandom > big; mkfifo p';
    const { layer, content, active } = await packOf(flavour, script);
    const target = newDirectory();
    const differ = createDiffer({ content, flavour });
    expect(await differ.extract(layer.descriptor, target, { from: content })).toEqual({
      diffId: layer.diffId,
      compression: 'uncompressed',
      selfContained: true,
    });
    expect(await differ.pack(target, active.lowers)).toEqual(layer);
  });
});

test('packing compares the content of files whose times have no fraction', async () => {
  const [lower, upper, content] = [newDirectory(), newDirectory(), new TestContent()];
  for (const directory of [lower, upper]) mkdirSync(join(directory, 'd'));
  for (const [directory, name, text] of [
    [lower, 'same', 'a'],
    [upper, 'same', 'a'],
    [lower, 'other', 'a'],
    [upper, 'other', 'b'],
  ] as const) {
    writeFileSync(join(directory, name), text);
  }
  shell(`touch -d "2020-01-01 00:00:00" "${lower}"/* "${upper}"/*`, '/');
  const layer = await createDiffer({ content, flavour: 'user' }).pack(upper, [lower]);
  expect(list(content.blobs.get(layer.diffId) ?? Buffer.alloc(0), 'tf')).toBe('other\n');
});

const CAPABILITIES = `python3 -c "
import tarfile
for m in tarfile.open('layer.tar'):
  value = m.pax_headers.get('SCHILY.xattr.security.capability')
  if value: print(m.name, len(value))"`;

interface Packed {
  readonly layer: Awaited<ReturnType<ReturnType<typeof createDiffer>['pack']>>;
  readonly bytes: Buffer;
  readonly content: TestContent;
  readonly active: ActiveSnapshot;
}

/** Returns the layer of what a script changes on top of the base. */
async function packOf(flavour: OverlayFlavour, script: string): Promise<Packed> {
  const snapshots = createOverlaySnapshotter({ store: storeLayout(newDirectory()), flavour });
  const base = await snapshots.prepare();
  shell(BASE, base.upper);
  await base.commit('base');
  const active = await snapshots.prepare('base');
  inMount(active.mount, script);
  const content = new TestContent();
  const layer = await createDiffer({ content, flavour }).pack(active.upper, active.lowers);
  const bytes = content.blobs.get(layer.descriptor.digest) ?? Buffer.alloc(0);
  expect(layer.descriptor.size).toBe(bytes.length);
  expect(lstatSync(active.upper).isDirectory()).toBe(true);
  return { layer, bytes, content, active };
}

function list(bytes: Buffer, ...options: string[]): string {
  const [mode = '', ...rest] = options;
  return shell(`tar ${mode} layer.tar ${rest.join(' ')}`, save(bytes));
}

function save(bytes: Buffer): string {
  const directory = newDirectory();
  writeFileSync(join(directory, 'layer.tar'), bytes);
  return directory;
}
