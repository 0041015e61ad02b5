import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baseImage } from './base-images.ts';
import { imagesOf, readLayer } from './layout.ts';
import { scratchDirectory } from './scratch.ts';
import { treeOfLayers } from './tree.ts';
import { problemsOf } from './validate-image.ts';

test('the busybox fixture is a valid image of two platforms', () => {
  const images = imagesOf(baseImage('busybox'));
  expect(images.map(({ config }) => config.architecture).sort()).toEqual(['amd64', 'arm64']);
  expect(images.flatMap(problemsOf)).toEqual([]);
  const [image] = images;
  const tree = treeOfLayers(image!.manifest.layers.map((layer) => readLayer(image!.layout, layer)));
  expect(tree.entries.get('/bin/sh')).toMatchObject({ type: 'file', mode: '0755', linkTo: '/bin/[' });
  expect(tree.entries.get('/tmp')).toEqual({ type: 'directory', mode: '1777', uid: 0, gid: 0 });
  expect(tree.readText('/etc/passwd')).toContain('www-data:x:33:33');
});

test('layers of GNU tar are read: long names, large ids, links, whiteouts', () => {
  const directory = scratchDirectory('tar');
  const long = `${'d'.repeat(120)}/${'f'.repeat(200)}`;
  const layer = (name: string, files: Record<string, string>, options: readonly string[] = []) => {
    const root = join(directory, name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    execFileSync('tar', ['-C', root, '--sort=name', ...options, '-cf', `${root}.tar`, '.']);
    return readFileSync(`${root}.tar`);
  };
  const lower = layer('lower', { [long]: 'long\n', 'a/b': 'b', 'a/c': 'c', gone: 'g' }, [
    '--owner=3000000:3000000',
    '--numeric-owner',
  ]);
  const upper = layer('upper', { '.wh.gone': '', 'a/.wh..wh..opq': '', 'a/d': 'd' }, ['--format=pax']);
  const tree = treeOfLayers([lower, upper]);
  expect(tree.readText(`/${long}`)).toBe('long\n');
  expect(tree.entries.get(`/${long}`)).toMatchObject({ uid: 3_000_000 });
  expect([...tree.entries.keys()].filter((path) => path.length < 9)).toEqual(['/a', '/a/d']);
});
