import { lstatSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { imagesOf, readLayer, type LayoutImage } from '../../support/layout.ts';
import { otherNodes, withNode } from '../../support/nodes.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { readTar } from '../../support/tar-archive.ts';
import { good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';
import { problemsOf } from '../../support/validate-image.ts';

const epoch = 1_600_000_000;

const commit = {
  Dockerfile: `FROM busybox
WORKDIR /srv/app
COPY . .
RUN mkdir -p /made/deep && echo made > /made/deep/file && ln /made/deep/file /made/link && chmod 4755 /made/deep/file
RUN rm -r /var/spool && touch -d @981158400 /old && head -c 3000000 /dev/zero > /large
COPY --chown=33:34 source /copied/
USER www-data
CMD ["cat", "/made/link"]
`,
  'source/a': 'a\n',
  'source/run': '#!/bin/sh\necho run\n',
  [`${'name-that-is-too-long-for-the-plain-header/'.repeat(4)}file`]: 'long\n',
};

interface Variant {
  readonly asUser?: boolean;
  readonly epoch?: number;
  readonly option?: string;
  readonly oneCore?: boolean;
  /** A Node other than the one that runs the tests. */
  readonly node?: string;
}

/** Creates a new checkout with other times, and builds it in an empty store. */
async function builtAnew({
  asUser = false,
  epoch: seconds = epoch,
  option = ',rewrite-timestamp=true',
  oneCore = false,
  node,
}: Variant = {}) {
  const context = writeFiles(commit);
  const changed = new Date(Date.now() - Math.floor(Math.random() * 1e9));
  utimesSync(join(context, 'source/a'), changed, changed);
  const directory = asUser ? userDirectory('output') : scratchDirectory('output');
  const store = asUser ? userDirectory('store') : scratchDirectory('store');
  const output = ['--output', `type=oci,dest=${directory}/image.tar${option}`, '--tag', 'same/app:1'];
  const env = {
    SOURCE_DATE_EPOCH: String(seconds),
    ...(oneCore ? { UV_THREADPOOL_SIZE: '1' } : {}),
    ...withNode(node),
  };
  good(
    await runTbuild(['build', '--progress', 'plain', ...baseImageArguments(), ...output, context], {
      asUser,
      store,
      env,
      oneCore,
    }),
  );
  const layout = scratchDirectory('layout');
  await runChecked('tar', ['-xf', `${directory}/image.tar`, '-C', layout]);
  const [image] = imagesOf(layout);
  if (image === undefined) throw new Error('The archive has no image');
  expect(problemsOf(image)).toEqual([]);
  return { image, digest: image.manifestDescriptor.digest, archive: readFileSync(`${directory}/image.tar`) };
}

const timesOf = ({ layout, manifest }: LayoutImage) =>
  manifest.layers.map((layer) => [...readTar(readLayer(layout, layer))].map(({ mtime }) => mtime));

describe('the same commit, with SOURCE_DATE_EPOCH and rewrite-timestamp', () => {
  test('gives the same archive from another checkout, at another time, on one processor', async () => {
    const first = await builtAnew();
    await sleep(1100);
    const second = await builtAnew({ oneCore: true });
    expect(second.digest).toBe(first.digest);
    expect(second.archive.equals(first.archive)).toBe(true);
  });

  test('gives the same archive with every Node', async () => {
    const own = await builtAnew();
    for (const { name, path } of otherNodes)
      expect((await builtAnew({ node: path })).archive.equals(own.archive), name).toBe(true);
  });

  test('gives an ordinary user the digests that root gets', needs('user'), async () => {
    const [own, theirs] = [await builtAnew(), await builtAnew({ asUser: true })];
    expect(theirs.image.config).toEqual(own.image.config);
    expect(theirs.digest).toBe(own.digest);
  });

  test('depends on content only: two clones of a repository give the same archive', needs('git'), async () => {
    const origin = writeFiles(commit);
    const git = (...args: string[]) =>
      runChecked('git', ['-C', origin, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
    await git('init', '--quiet');
    await git('add', '.');
    await git('commit', '--quiet', '-m', 'x');
    const ids = [];
    for (const name of ['one', 'two']) {
      const clone = join(scratchDirectory('clone'), name);
      await runChecked('git', ['clone', '--quiet', origin, clone]);
      const file = join(scratchDirectory('id'), 'id');
      const output = ['-o', 'type=image,rewrite-timestamp=true', '--tag', 'same/app:1', '--iidfile', file];
      writeFiles({ '.dockerignore': '.git\n.dockerignore\n' }, clone);
      good(
        await runTbuild(['build', ...baseImageArguments(), ...output, clone], {
          store: scratchDirectory('store'),
          env: { SOURCE_DATE_EPOCH: String(epoch) },
        }),
      );
      ids.push(readFileSync(file, 'utf8'));
    }
    expect(ids[1]).toBe(ids[0]);
  });

  test('clamps newer files to that time, and leaves older files and the base unchanged', async () => {
    const { image } = await builtAnew();
    const [base, ...own] = timesOf(image);
    expect(Math.max(...own.flat())).toBe(epoch);
    expect(own.flat()).toContain(981158400);
    expect(own.flat().filter((time) => time === 0).length).toBeGreaterThan(0);
    expect(image.manifest.layers[0]?.digest).toBe((await builtAnew({ epoch: 1000 })).image.manifest.layers[0]?.digest);
    expect(base?.length).toBeGreaterThan(0);
    expect(new Date(image.config.created ?? '').getTime()).toBe(epoch * 1000);
  });
});

test('SOURCE_DATE_EPOCH alone changes no layer of a RUN', async () => {
  const { image } = await builtAnew({ option: '' });
  expect(Math.max(...timesOf(image).flat())).toBeGreaterThan(epoch);
  const added =
    image.config.history?.filter(({ created_by: text = '' }) => /^(RUN|COPY|WORKDIR|USER|CMD)/.test(text)) ?? [];
  expect(added).toHaveLength(7);
  for (const { created } of added) expect(Date.parse(created ?? '')).toBe(epoch * 1000);
});

test('SOURCE_DATE_EPOCH clamps newer files of local and tar outputs, and older times stay', async () => {
  const place = scratchDirectory('trees');
  const output = ['-o', `type=tar,dest=${place}/root.tar`, '-o', `type=local,dest=${place}/root`];
  good(
    await runTbuild(['build', ...baseImageArguments(), ...output, writeFiles(commit)], {
      store: scratchDirectory('store'),
      env: { SOURCE_DATE_EPOCH: String(epoch) },
    }),
  );
  const inArchive = new Map([...readTar(readFileSync(`${place}/root.tar`))].map(({ name, mtime }) => [name, mtime]));
  expect(Math.max(...inArchive.values())).toBe(epoch);
  expect([inArchive.get('old'), inArchive.get('large')]).toEqual([981158400, epoch]);
  const inTree = readdirSync(`${place}/root`, { recursive: true, encoding: 'utf8' }).map(
    (name) => lstatSync(`${place}/root/${name}`).mtimeMs / 1000,
  );
  expect(Math.max(...inTree)).toBe(epoch);
  expect(lstatSync(`${place}/root/old`).mtimeMs).toBe(981158400_000);
});

test(
  'an image of several platforms with an inline cache has the same digest in every build',
  needs('root'),
  async () => {
    const Dockerfile = `FROM --platform=$BUILDPLATFORM busybox AS tools
RUN echo tool > /tool
FROM scratch
ARG TARGETARCH
COPY f /$TARGETARCH
COPY --from=tools /tool /tool
WORKDIR /w
COPY $TARGETARCH /own
`;
    const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x'];
    const built = async (wanted: readonly string[], store: string): Promise<string> => {
      const context = writeFiles({ Dockerfile, f: 'f\n', amd64: 'a'.repeat(3_000_000), arm64: 'b', s390x: 'c' });
      const layout = join(scratchDirectory('layout'), 'image');
      const output = ['-o', `type=oci,tar=false,rewrite-timestamp=true,dest=${layout}`, '--cache-to', 'type=inline'];
      const args = [...baseImageArguments(), ...output, '--platform', wanted.join(',')];
      good(await runTbuild(['build', ...args, context], { store, env: { SOURCE_DATE_EPOCH: String(epoch) } }));
      for (const { config } of imagesOf(layout)) expect(Object.keys(config)).toContain('tbuild.cache.v1');
      return readFileSync(join(layout, 'index.json'), 'utf8');
    };
    const made = new Set<string>();
    // What a store has already decides which steps end first.
    for (const before of [[], ['linux/s390x'], platforms.toReversed(), ['linux/amd64'], []]) {
      const store = scratchDirectory('store');
      if (before.length > 0) await built(before, store);
      made.add(await built(platforms, store));
    }
    expect(made.size).toBe(1);
  },
);
