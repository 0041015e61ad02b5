import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { blobsIn, DOCKERFILE, files } from '../../support/cached-project.ts';
import { imagesOf, readBlob, type LayoutDescriptor } from '../../support/layout.ts';
import { ranIn } from '../../support/plain-progress.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import {
  buildContext,
  buildGood,
  buildInline,
  good,
  userDirectory,
  writeFiles,
  type InlineBuild,
} from '../../support/tbuild.ts';

const ran = (build: InlineBuild) => ranIn(build.stderr);

/** Returns the layers of the cache in a directory. */
function cacheLayers(cache: string): readonly LayoutDescriptor[] {
  const [manifest] = JSON.parse(readFileSync(join(cache, 'index.json'), 'utf8')).manifests;
  const { layers }: { layers: LayoutDescriptor[] } = JSON.parse(readBlob(cache, manifest).toString('utf8'));
  return layers.filter(({ mediaType }) => mediaType.includes('.layer.'));
}

describe.each(builders)('a cache in a directory, used by $who', ({ asUser }) => {
  const scratch = (purpose: string) => (asUser ? userDirectory(purpose) : scratchDirectory(purpose));

  test('gives an empty store every step and the same image, and only the needed blobs are read', async () => {
    const cache = join(scratch('cache'), 'made');
    const first = await buildGood(files, {
      asUser,
      store: scratch('store'),
      args: ['--cache-to', `type=local,dest=${cache},mode=max`],
    });
    const store = scratch('store');
    const second = await buildGood(files, { asUser, store, args: ['--cache-from', `type=local,src=${cache}`] });
    expect(ran(second)).toEqual([]);
    expect(second.id()).toBe(first.id());
    expect(second.tree().readText('/id')).toBe(first.tree().readText('/id'));
    expect(readdirSync(join(store, 'snapshots')).filter((name) => name !== '.active')).toEqual([]);

    const stored = new Set(blobsIn(store));
    expect(cacheLayers(cache).filter(({ digest }) => !stored.has(digest.slice(7))).length).toBe(2);
  });

  test('provides the parent trees of the steps that still have to run', async () => {
    const cache = join(scratch('cache'), 'made');
    const context = writeFiles(files);
    good(
      await buildContext(context, {
        asUser,
        store: scratch('store'),
        args: ['--cache-to', `type=local,dest=${cache},mode=max`],
      }),
    );
    writeFileSync(join(context, 'b'), 'changed\n');
    const store = scratch('store');
    const next = good(
      await buildContext(context, { asUser, store, args: ['--cache-from', `type=local,src=${cache}`] }),
    );
    expect(ran(next).sort()).toEqual([
      'COPY --link b /usr/lib/x/b',
      'LINK COPY --link b /usr/lib/x/b',
      'RUN rm /usr/lib/x/hello; cat /proc/sys/kernel/random/uuid > /id',
    ]);
    const tree = next.tree();
    expect(tree.readText('/usr/lib/x/b')).toBe('changed\n');
    expect(tree.readText('/out')).toBe('1\n2\n');
    expect(tree.entries.has('/usr/lib/x/hello')).toBe(false);

    writeFileSync(join(context, 'src/1'), 'one\n');
    const again = good(
      await buildContext(context, { asUser, store, args: ['--cache-from', `type=local,src=${cache}`] }),
    );
    expect(again.tree().readText('/out')).toBe('one\n2\n');
  });

  test('does not grow when it is exported again, and an unchanged build writes nothing', async () => {
    const cache = join(scratch('cache'), 'made');
    const context = writeFiles(files);
    const store = scratch('store');
    const args = ['--cache-to', `type=local,dest=${cache},mode=max`];
    good(await buildContext(context, { asUser, store, args }));
    const before = blobsIn(cache);
    const same = good(await buildContext(context, { asUser, store, args }));
    expect(same.stderr).not.toContain('writing layer');
    expect(blobsIn(cache)).toEqual(before);
    writeFileSync(join(context, 'b'), 'changed\n');
    good(await buildContext(context, { asUser, store, args }));
    expect(blobsIn(cache).length).toBe(before.length);
  });
});

describe('mode=min, which has no layers of stages,', () => {
  const STAGE = ['COPY src /src', 'RUN cat /src/* > /out; cat /proc/sys/kernel/random/uuid > /unused'];
  const exported = async () => {
    const cache = join(scratchDirectory('cache'), 'made');
    const context = writeFiles(files);
    const args = ['--cache-to', `type=local,dest=${cache}`];
    const first = good(await buildContext(context, { store: scratchDirectory('store'), args }));
    return { context, first, args: ['--cache-from', `type=local,src=${cache}`] };
  };

  test('still gives an empty store every step', async () => {
    const { context, first, args } = await exported();
    const store = scratchDirectory('store');
    const next = good(await buildContext(context, { store, args }));
    expect(ran(next)).toEqual([]);
    expect(next.id()).toBe(first.id());
    // The store keeps the imported records, also without the cache.
    expect(ran(good(await buildContext(context, { store })))).toEqual([]);
  });

  test('builds a stage when a changed step depends on it, each step once', async () => {
    const { context, args } = await exported();
    const dockerfile = DOCKERFILE.replace('FROM busybox\nWORKDIR', 'RUN cp /out /more\nFROM busybox\nWORKDIR');
    writeFiles({ Dockerfile: dockerfile }, context);
    const next = good(await buildContext(context, { store: scratchDirectory('store'), args }));
    expect(ran(next).toSorted()).toEqual([...STAGE, 'RUN cp /out /more']);
    expect(next.tree().readText('/out')).toBe('1\n2\n');
  });

  test('builds a stage when another part of it is copied, and repeats the earlier copies from it', async () => {
    const context = writeFiles(files);
    const dockerfile = DOCKERFILE.replace('RUN cat /src/*', 'RUN cat /proc/sys/kernel/random/uuid > /same; cat /src/*');
    const [first, second] = ['COPY --from=build /same /a\n', 'COPY --from=build /unused /same /b/\n'];
    const cache = join(scratchDirectory('cache'), 'made');
    writeFiles({ Dockerfile: dockerfile + first }, context);
    const to = ['--cache-to', `type=local,dest=${cache}`];
    good(await buildContext(context, { store: scratchDirectory('store'), args: to }));
    writeFiles({ Dockerfile: dockerfile + first + second }, context);
    const next = good(
      await buildContext(context, {
        store: scratchDirectory('store'),
        args: ['--cache-from', `type=local,src=${cache}`],
      }),
    );
    expect(ran(next)).toEqual(expect.arrayContaining(['COPY --from=build /unused /same /b/', first.trim()]));
    const tree = next.tree();
    expect(tree.readText('/a')).toBe(tree.readText('/b/same'));
  });

  test('can be extended with mode=max, with every available layer', async () => {
    const { context, first, args } = await exported();
    const cache = join(scratchDirectory('cache'), 'next');
    const to = ['--cache-to', `type=local,dest=${cache},mode=max`];
    good(await buildContext(context, { store: scratchDirectory('store'), args: [...args, ...to] }));
    const from = ['--cache-from', `type=local,src=${cache}`];
    const next = good(await buildContext(context, { store: scratchDirectory('store'), args: from }));
    expect(ran(next)).toEqual([]);
    expect(next.id()).toBe(first.id());
  });
});

test('a layer that is missing from a cache does no harm while no step needs it', async () => {
  const cache = join(scratchDirectory('cache'), 'made');
  const context = writeFiles(files);
  const store = scratchDirectory('store');
  const from = ['--cache-from', `type=local,src=${cache}`];
  good(
    await buildContext(context, {
      store: scratchDirectory('store'),
      args: ['--cache-to', `type=local,dest=${cache},mode=max`],
    }),
  );
  good(await buildContext(context, { store, args: from }));
  rmSync(cache, { recursive: true });
  const next = good(await buildContext(context, { store, args: from }));
  expect(next.stderr).toContain('is ignored');
  expect(ran(next)).toEqual([]);
  expect(next.tree().readText('/out')).toBe('1\n2\n');
});

test('a cache that lost layers still provides the steps whose layers it has', async () => {
  const cache = join(scratchDirectory('cache'), 'made');
  const context = writeFiles({
    Dockerfile:
      'FROM busybox AS a\nRUN head -c 300000 /dev/urandom > /big; echo a > /a\nFROM busybox\nRUN echo b > /b\nCOPY --from=a /a /a\n',
  });
  good(
    await buildContext(context, {
      store: scratchDirectory('store'),
      args: ['--cache-to', `type=local,dest=${cache},mode=max`],
    }),
  );
  const blobs = blobsIn(cache).map((name) => join(cache, 'blobs/sha256', name));
  rmSync(blobs.find((path) => statSync(path).size > 200_000)!);
  writeFileSync(
    join(context, 'Dockerfile'),
    readFileSync(join(context, 'Dockerfile'), 'utf8').replace('/a /a', '/a /other'),
  );
  const next = good(
    await buildContext(context, {
      store: scratchDirectory('store'),
      args: ['--cache-from', `type=local,src=${cache}`],
    }),
  );
  expect(ran(next)).toEqual(['RUN head -c 300000 /dev/urandom > /big; echo a > /a', 'COPY --from=a /a /other']);
  expect(next.tree().readText('/other')).toBe('a\n');
});

describe('compression of layers for a cache', () => {
  const STAGES = {
    Dockerfile: 'FROM busybox AS made\nCOPY text /of-the-stage\nFROM busybox\nCOPY --from=made /of-the-stage /text\n',
    text: Array.from({ length: 30_000 }, (_, n) => `line ${n * 7919}\n`).join(''),
  };
  const layersOf = (layout: string) => imagesOf(layout)[0]?.manifest.layers ?? [];

  test('an image that is written from a cache has the layers of one that was built', async () => {
    const [cache, first, second] = ['cache', 'first', 'second'].map((name) => join(scratchDirectory(name), 'made'));
    const image = (dest: string | undefined) => ['--output', `type=oci,tar=false,dest=${dest}`];
    const exported = await buildGood(STAGES, {
      store: scratchDirectory('store'),
      args: ['--cache-to', `type=local,dest=${cache},mode=max`, ...image(first)],
    });
    expect(exported.exitCode).toBe(0);
    const args = ['--cache-from', `type=local,src=${cache}`, ...image(second)];
    expect(ran(await buildGood(STAGES, { store: scratchDirectory('store'), args }))).toEqual([]);
    expect(layersOf(second ?? '')).toEqual(layersOf(first ?? ''));
  });

  test('the layers that only stages have are compressed less, unless a level is given', async () => {
    const [usual, asked] = ['usual', 'asked'].map((name) => join(scratchDirectory(name), 'made'));
    const to = (dest: string | undefined) => ['--cache-to', `type=local,dest=${dest},mode=max`];
    const args = [...to(usual), ...to(`${asked},compression-level=6`)];
    await buildGood(STAGES, { store: scratchDirectory('store'), args });
    const of = (cache = '') => cacheLayers(cache).map(({ digest, size }) => ({ digest, size }));
    const quick = of(usual).filter(({ digest }) => !of(asked).some((other) => other.digest === digest));
    const full = of(asked).filter(({ digest }) => !of(usual).some((other) => other.digest === digest));
    expect([of(usual).length, quick.length, full.length]).toEqual([2, 1, 1]);
    expect(quick[0]?.size).toBeGreaterThan(full[0]?.size ?? Infinity);
  });
});

test('a cache in a directory with other files leaves them alone', async () => {
  const directory = writeFiles({ 'tmp/mine': 'mine', mine: 'mine' });
  await buildGood({ Dockerfile: 'FROM busybox\nRUN true\n' }, { args: ['--cache-to', `type=local,dest=${directory}`] });
  expect(readdirSync(directory).sort()).toEqual(['blobs', 'index.json', 'mine', 'oci-layout', 'tmp']);
  expect(readdirSync(join(directory, 'tmp'))).toEqual(['mine']);
});

test('what is not a cache is a warning on import and an error on export', async () => {
  const directory = writeFiles({ 'index.json': 'not json' });
  const imported = await buildGood(
    { Dockerfile: 'FROM busybox\n' },
    { args: ['--cache-from', `type=local,src=${directory}`, '--cache-from', 'type=local,src=/does/not/exist'] },
  );
  expect(imported.stderr).toContain('/does/not/exist');
  const files = { Dockerfile: 'FROM busybox\nRUN true\n' };
  const failed = await buildInline(files, { args: ['--cache-to', 'type=local,dest=/etc/hostname/cache'] });
  expect(failed.exitCode).toBe(2);
  expect(failed.stderr).toContain('a parent is not a directory');
  const ignored = await buildGood(files, {
    args: ['--cache-to', 'type=local,dest=/etc/hostname/cache,ignore-error=true'],
  });
  expect(ignored.stderr).toContain('was not exported');
  // A FIFO would block whoever opens it.
  const made = scratchDirectory('made');
  execFileSync('mkfifo', [join(made, 'index.json')]);
  const refused = await buildInline(files, { args: ['--cache-to', `type=local,dest=${made}`] });
  expect([refused.exitCode, refused.stderr]).toEqual([
    1,
    expect.stringContaining('is a FIFO, expected a regular file'),
  ]);
});

test.each([
  ['--cache-to', 'type=s3,bucket=x', 'bucket'],
  ['--cache-to', 'type=azblob,account_url=ftp://x', 'account_url'],
  ['--cache-to', 'type=local', 'dest'],
  ['--cache-to', 'type=local,dest=x,mode=most', 'most'],
  ['--cache-from', 'type=registry,src=x', 'src'],
  ['--cache-from', 'app/Case:1', 'app/Case'],
])('%s %s is refused by name', async (option, value, word) => {
  const build = await buildInline({ Dockerfile: 'FROM busybox\n' }, { args: [option, value] });
  expect(build.exitCode).toBe(2);
  expect(build.stderr).toContain(word);
});
