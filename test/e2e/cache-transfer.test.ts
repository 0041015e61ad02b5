import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../support/base-images.ts';
import { builders } from '../support/builders.ts';
import { skopeo } from '../support/peers.ts';
import { stepsIn } from '../support/plain-progress.ts';
import { startRegistry } from '../support/registry.ts';
import { canRunRegistry } from '../support/requirements.ts';
import { scratchDirectory } from '../support/scratch.ts';
import { sharedService } from '../support/services.ts';
import {
  buildContext,
  buildGood,
  buildInline,
  good,
  userDirectory,
  writeFiles,
  type InlineBuild,
} from '../support/tbuild.ts';

const ran = (build: InlineBuild) => {
  const steps = [...stepsIn(build.stderr)].filter(([name]) => /\] (LINK )?(RUN|COPY|ADD|WORKDIR) /.test(name));
  return steps.filter(([, status]) => status !== 'cached').map(([name]) => name.replace(/^\[.*?\] /, ''));
};

const DOCKERFILE = `FROM busybox AS build
COPY src /src
RUN cat /src/* > /out; cat /proc/sys/kernel/random/uuid > /unused
FROM busybox
WORKDIR /w
RUN mkdir -p /usr/lib/x && echo hello > /usr/lib/x/hello && ln -s usr/lib /lib
COPY --from=build /out /out
COPY --link b /usr/lib/x/b
RUN rm /usr/lib/x/hello; cat /proc/sys/kernel/random/uuid > /id
`;
const files = { Dockerfile: DOCKERFILE, 'src/1': '1\n', 'src/2': '2\n', b: 'b\n' };
const blobsIn = (directory: string) => readdirSync(join(directory, 'blobs/sha256')).sort();

describe.each(builders)('a cache in a directory, used by $who', ({ asUser }) => {
  const scratch = (purpose: string) => (asUser ? userDirectory(purpose) : scratchDirectory(purpose));

  test('spares a fresh store every step, gives the same image, and only what is needed is read', async () => {
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
    const config = JSON.parse(readFileSync(join(cache, 'index.json'), 'utf8')).manifests[0].digest.slice(7);
    const { layers } = JSON.parse(readFileSync(join(cache, 'blobs/sha256', config), 'utf8'));
    expect(layers.filter((layer: { digest: string }) => !stored.has(layer.digest.slice(7))).length).toBe(2);
  });

  test('gives the trees that steps stand on which run after all', async () => {
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

  test('does not grow when it is written again, and the same build writes nothing', async () => {
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

test('mode=min carries the steps of the image only', async () => {
  const cache = join(scratchDirectory('cache'), 'made');
  await buildGood(files, { store: scratchDirectory('store'), args: ['--cache-to', `type=local,dest=${cache}`] });
  const next = await buildGood(files, {
    store: scratchDirectory('store'),
    args: ['--cache-from', `type=local,src=${cache}`],
  });
  expect(ran(next).sort()).toEqual([
    'COPY src /src',
    'RUN cat /src/* > /out; cat /proc/sys/kernel/random/uuid > /unused',
  ]);
});

test('a layer that went missing from a cache is a step that runs again when nothing else has it', async () => {
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
  expect(next.stderr).toContain('is not used');
  expect(ran(next).sort()).toEqual([
    'COPY src /src',
    'RUN cat /src/* > /out; cat /proc/sys/kernel/random/uuid > /unused',
  ]);
  expect(next.tree().readText('/out')).toBe('1\n2\n');
});

test('a cache that lost layers gives the steps whose layers it has', async () => {
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

test('what is not a cache is a warning on import and an error on export', async () => {
  const directory = writeFiles({ 'index.json': 'not json' });
  const imported = await buildGood(
    { Dockerfile: 'FROM busybox\n' },
    { args: ['--cache-from', `type=local,src=${directory}`, '--cache-from', 'type=local,src=/does/not/exist'] },
  );
  expect(imported.stderr).toContain('/does/not/exist');
  const files = { Dockerfile: 'FROM busybox\nRUN true\n' };
  const failed = await buildInline(files, { args: ['--cache-to', 'type=local,dest=/etc/hostname/cache'] });
  expect(failed.exitCode).toBe(1);
  const ignored = await buildGood(files, {
    args: ['--cache-to', 'type=local,dest=/etc/hostname/cache,ignore-error=true'],
  });
  expect(ignored.stderr).toContain('was not exported');
});

test.each([
  ['--cache-to', 'type=s3,bucket=x', 's3'],
  ['--cache-to', 'type=local', 'dest'],
  ['--cache-to', 'type=local,dest=x,mode=most', 'most'],
  ['--cache-from', 'type=registry,src=x', 'src'],
  ['--cache-from', 'app/Case:1', 'app/Case'],
])('%s %s is refused by name', async (option, value, word) => {
  const build = await buildInline({ Dockerfile: 'FROM busybox\n' }, { args: [option, value] });
  expect(build.exitCode).toBe(2);
  expect(build.stderr).toContain(word);
});

describe.skipIf(!canRunRegistry)('a cache in a registry', () => {
  const fromRegistry = { images: [] } as const;

  test('spares a fresh store every step; layers are sent once', async () => {
    await using registry = await startRegistry();
    const base = await pushBaseImage('busybox', registry.host);
    const own = { ...files, Dockerfile: DOCKERFILE.replaceAll('FROM busybox', `FROM ${base}`) };
    const ref = `${registry.host}/cache/app:main`;
    const args = [
      '--tag',
      `${registry.host}/app:1`,
      '--push',
      '--cache-to',
      `type=registry,ref=${ref},mode=max`,
      '--cache-from',
      ref,
    ];
    const first = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args });
    expect(first.stderr).toContain('is not used');
    const second = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args });
    expect(ran(second)).toEqual([]);
    expect(second.id()).toBe(first.id());
    expect(second.stderr).not.toContain('writing layer');
    const manifest = JSON.parse(await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${ref}`]));
    expect(manifest.layers.length).toBeGreaterThan(5);
    expect(new Set(manifest.layers.map((layer: { mediaType: string }) => layer.mediaType))).toEqual(
      new Set(['application/vnd.oci.image.layer.v1.tar+gzip']),
    );
  });

  test('may stand in the image itself', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const own = {
      Dockerfile: `FROM ${base}\nRUN cat /proc/sys/kernel/random/uuid > /id\nCOPY f /f\nRUN cp /id /copy\n`,
      f: 'f\n',
    };
    const tag = `${host}/inline:1`;
    const args = ['--tag', tag, '--push', '--cache-to', 'type=inline'];
    const first = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args });
    const second = await buildGood(
      { ...own, f: 'changed\n' },
      { ...fromRegistry, store: scratchDirectory('store'), args: ['--cache-from', tag] },
    );
    expect(ran(second)).toEqual(['COPY f /f', 'RUN cp /id /copy']);
    expect(second.tree().readText('/id')).toBe(first.tree().readText('/id'));
  });

  test('of an image that has none is a warning', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const build = await buildGood(
      { Dockerfile: `FROM ${base}\nRUN true\n` },
      { ...fromRegistry, args: ['--cache-from', base] },
    );
    expect(build.stderr).toContain('holds no cache');
  });
});

test('mounts=true carries the directories of cache mounts', async () => {
  const cache = join(scratchDirectory('cache'), 'made');
  const dockerfile = (n: number) =>
    `FROM busybox\nRUN --mount=type=cache,target=/c,id=carried mkdir -p /c/d; echo ${n} >> /c/d/log; ln -sf d/log /c/last; cp /c/last /seen\n`;
  await buildGood(
    { Dockerfile: dockerfile(1) },
    { store: scratchDirectory('store'), args: ['--cache-to', `type=local,dest=${cache},mounts=true`] },
  );
  const store = scratchDirectory('store');
  const args = ['--cache-from', `type=local,src=${cache}`];
  const next = await buildGood({ Dockerfile: dockerfile(2) }, { store, args });
  expect(next.tree().readText('/seen')).toBe('1\n2\n');
  // What is there is not replaced, and without the cache there is nothing to carry.
  expect((await buildGood({ Dockerfile: dockerfile(3) }, { store, args })).tree().readText('/seen')).toBe('1\n2\n3\n');
  expect(
    (await buildGood({ Dockerfile: dockerfile(4) }, { store, args: [...args, '--no-cache'] })).tree().readText('/seen'),
  ).toBe('4\n');
});
