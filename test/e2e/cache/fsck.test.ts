import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, runTbuild } from '../../support/tbuild.ts';

const FILES = {
  Dockerfile: `FROM busybox AS base
RUN echo one > /one && ln -s one /link && rm /etc/passwd
WORKDIR /w
COPY . /all
FROM base
COPY --link a /linked/a
RUN --mount=type=cache,target=/c rm -r /all/d && mkdir /all/d && mknod /fifo p
`,
  a: 'a\n',
  'd/b': 'b\n',
};

async function filledStore(): Promise<string> {
  const store = scratchDirectory('store');
  await buildGood(FILES, { store, args: ['-o', `type=oci,dest=${join(scratchDirectory('archive'), 'image.tar')}`] });
  await buildGood(FILES, { store });
  return store;
}

test('fsck finds nothing in a sound store', async () => {
  const store = await filledStore();
  expect(await runTbuild(['fsck'], { store })).toMatchObject({ exitCode: 0, stdout: 'The store is sound\n' });
});

test('fsck names a blob, a record, a description and a tree that were changed', async () => {
  const store = await filledStore();
  const blobs = join(store, 'blobs/sha256');
  const [blob = ''] = readdirSync(blobs).filter((name) => readFileSync(join(blobs, name), 'utf8').startsWith('{'));
  appendFileSync(join(blobs, blob), ' ');
  const [record = ''] = readdirSync(join(store, 'records'));
  writeFileSync(join(store, 'records', record), '{');
  const [layer = ''] = readdirSync(join(store, 'variants'));
  writeFileSync(join(store, 'variants', layer, 'gzip'), '{');
  const trees = readdirSync(join(store, 'snapshots')).filter((name) => !name.startsWith('.'));
  const tree = trees.find((name) => readdirSync(join(store, 'snapshots', name)).includes('fs') && hasFile(store, name));
  writeFileSync(join(store, 'snapshots', tree ?? '', 'fs/one'), 'two\n');
  const { exitCode, stdout } = await runTbuild(['fsck'], { store });
  expect(exitCode).toBe(1);
  expect(stdout).toContain(`Blob sha256:${blob} has bytes with the digest`);
  expect(stdout).toContain(`Record sha256:${record} cannot be read`);
  expect(stdout).toContain(`The description of the gzip form of layer sha256:${layer} cannot be read`);
  expect(stdout).toContain(`Tree ${tree} was changed`);
  expect(stdout.trim().split('\n')).toHaveLength(4);
});

function hasFile(store: string, name: string): boolean {
  return readdirSync(join(store, 'snapshots', name, 'fs')).includes('one');
}
