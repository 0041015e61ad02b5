import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, good, runTbuild } from '../../support/tbuild.ts';

test('rmi removes an image whose configuration is gone', async () => {
  const store = scratchDirectory('store');
  const { id } = await buildGood({ Dockerfile: 'FROM scratch\nCOPY . /\n' }, { store, args: ['-t', 'damaged:1'] });
  rmSync(join(store, 'blobs/sha256', id().replace('sha256:', '')));
  expect(good(await runTbuild(['rmi', 'damaged:1'], { store })).stdout).toBe('Untagged: damaged:1\n');
  expect(readdirSync(join(store, 'refs')).filter((name) => name.includes('damaged'))).toEqual([]);
});

test('an image whose configuration is gone does not hide the others from tbuild images', async () => {
  const store = scratchDirectory('store');
  const files = (text: string) => ({ Dockerfile: `FROM scratch\nCOPY file /\n`, file: text });
  await buildGood(files('good'), { store, args: ['-t', 'good:1'] });
  const damaged = await buildGood(files('damaged'), { store, args: ['-t', 'damaged:1'] });
  rmSync(join(store, 'blobs/sha256', damaged.id().replace('sha256:', '')));
  const { stdout } = good(await runTbuild(['images', '--format', '{{.Repository}}'], { store }));
  expect(stdout).toBe('good\n');
});
