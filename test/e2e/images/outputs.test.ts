import { lstatSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { imagesOf } from '../../support/layout.ts';
import { skopeo } from '../../support/peers.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, userDirectory, type InlineBuildOptions } from '../../support/tbuild.ts';
import { treeOfLayers } from '../../support/tree.ts';
import { ordinaryUser } from '../../support/user.ts';
import { problemsOf } from '../../support/validate-image.ts';

const files = {
  Dockerfile: `FROM busybox
COPY --chown=33:34 data /srv/
RUN ln -s data /srv/link && chmod 4711 /srv/data && rm -r /var/spool
CMD ["cat", "/srv/data"]
`,
  data: 'payload\n',
};

describe.each(builders)('outputs of $who', ({ asUser }) => {
  const target = () => (asUser ? userDirectory('output') : scratchDirectory('output'));
  const output = (spec: string, options: InlineBuildOptions = {}) =>
    buildGood(files, { ...options, asUser, args: ['--output', spec, ...(options.args ?? [])] });

  test('type=oci is an archive of an OCI layout that skopeo reads', async () => {
    const archive = join(target(), 'image.tar');
    await output(`type=oci,dest=${archive}`, { args: ['--tag', 'named/app:1'] });
    const inspected = JSON.parse(await skopeo(['inspect', '--config', `oci-archive:${archive}`]));
    expect(inspected.config.Cmd).toEqual(['cat', '/srv/data']);
    const layout = scratchDirectory('layout');
    await runChecked('tar', ['-xf', archive, '-C', layout]);
    expect(imagesOf(layout).flatMap(problemsOf)).toEqual([]);
  });

  test('type=docker is an archive that skopeo reads as a Docker archive', async () => {
    const archive = join(target(), 'image.tar');
    await output(`type=docker,dest=${archive}`, { args: ['--tag', 'named/app:1'] });
    const [entry] = JSON.parse(await runChecked('tar', ['-xOf', archive, 'manifest.json']));
    expect(entry.RepoTags).toEqual(['named/app:1']);
    const layout = join(scratchDirectory('layout'), 'image');
    await skopeo(['copy', '--quiet', `docker-archive:${archive}`, `oci:${layout}:x`]);
    expect(imagesOf(layout).flatMap(problemsOf)).toEqual([]);
  });

  test('type=tar is the file system with owners and modes', async () => {
    const archive = join(target(), 'root.tar');
    await output(`type=tar,dest=${archive}`);
    const tree = treeOfLayers([readFileSync(archive)]);
    expect(tree.entries.get('/srv/data')).toMatchObject({ mode: '4711', uid: 33, gid: 34 });
    expect(tree.entries.get('/srv/link')).toMatchObject({ type: 'symlink', target: 'data' });
    expect(tree.entries.has('/var/spool')).toBe(false);
    expect(tree.readText('/srv/data')).toBe('payload\n');
  });

  test('type=local is a directory of the files, owned by the builder', async () => {
    const directory = join(target(), 'tree');
    await output(`type=local,dest=${directory}`);
    expect(readFileSync(join(directory, 'srv/data'), 'utf8')).toBe('payload\n');
    expect(readlinkSync(join(directory, 'srv/link'))).toBe('data');
    expect(lstatSync(join(directory, 'bin/sh')).size).toBeGreaterThan(100_000);
    const uid = asUser ? ordinaryUser().uid : (process.getuid?.() ?? 0);
    expect(lstatSync(join(directory, 'srv')).uid).toBe(uid);
  });

  test('-o DIRECTORY means type=local', async () => {
    const directory = join(target(), 'short');
    await output(directory);
    expect(readFileSync(join(directory, 'srv/data'), 'utf8')).toBe('payload\n');
  });
});

test('type=tar to standard output prints nothing else there', async () => {
  const build = await buildInline(
    { Dockerfile: 'FROM scratch\nCOPY f /f\n', f: 'f\n' },
    { images: [], args: ['--output', 'type=tar,dest=-'] },
  );
  expect(build.exitCode, build.stderr).toBe(0);
  expect(treeOfLayers([Buffer.from(build.stdout, 'latin1')]).readText('/f')).toBe('f\n');
});

test('one build writes several outputs', async () => {
  const directory = scratchDirectory('several');
  const outputs = [
    `type=oci,dest=${directory}/a.tar`,
    `type=docker,dest=${directory}/b.tar`,
    `type=local,dest=${directory}/c`,
  ];
  await buildGood(files, { args: outputs.flatMap((output) => ['--output', output]) });
  await skopeo(['inspect', `oci-archive:${directory}/a.tar`]);
  await skopeo(['inspect', `docker-archive:${directory}/b.tar`]);
  expect(readFileSync(`${directory}/c/srv/data`, 'utf8')).toBe('payload\n');
});

test('the store directory itself is an OCI layout for other tools', async () => {
  const build = await buildGood(files, { args: ['--tag', 'seen/by-skopeo:1'], store: scratchDirectory('store') });
  const [root] = JSON.parse(readFileSync(join(build.store, 'index.json'), 'utf8')).manifests;
  const name = root.annotations['org.opencontainers.image.ref.name'];
  const inspected = JSON.parse(await skopeo(['inspect', `oci:${build.store}:${name}`]));
  expect(inspected.Layers).toHaveLength(build.image().manifest.layers.length);
  const copy = join(scratchDirectory('copy'), 'layout');
  await skopeo(['copy', '--quiet', `oci:${build.store}:${name}`, `oci:${copy}:x`]);
  expect(imagesOf(copy).flatMap(problemsOf)).toEqual([]);
});

test('an output creates its missing directory; a file in its place fails before the build', async () => {
  const directory = scratchDirectory('made');
  await buildGood(files, { args: ['--output', `type=oci,dest=${directory}/x/y/z.tar`] });
  await skopeo(['inspect', `oci-archive:${directory}/x/y/z.tar`]);
  mkdirSync(join(directory, 'is-directory'));
  const onto = await buildInline(files, { args: ['--output', `type=oci,dest=${directory}/is-directory`] });
  expect(onto.exitCode).not.toBe(0);
  expect(onto.stderr).toContain('is-directory');
});

test.each([['type=nonsense'], ['type=oci,dest=x,colour=red'], ['type=local']])(
  'the output %s is a usage error',
  async (spec) => {
    const build = await buildInline(files, { args: ['--output', spec] });
    expect(build.exitCode).toBe(2);
    expect(build.stderr).toMatch(/output/i);
  },
);
