import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { imagesOf } from '../../support/layout.ts';
import { skopeo } from '../../support/peers.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';
import { problemsOf } from '../../support/validate-image.ts';

describe('imagetools', needs('registry'), () => {
  const tbuild = async (...args: string[]) => good(await runTbuild(args)).stdout;
  const built = async (name: string, architecture: string) => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nCOPY f /f\n', f: `${architecture}\n` });
    await tbuild(
      'build',
      ...baseImageArguments(),
      '--platform',
      `linux/${architecture}`,
      '--tag',
      name,
      '--push',
      context,
    );
  };
  const rawOf = async (name: string) =>
    JSON.parse(await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${name}`]));

  test('merges the builds of several machines under one name', async () => {
    await using registry = await startRegistry();
    const name = (suffix: string) => `${registry.host}/team/app:${suffix}`;
    await built(name('amd64'), 'amd64');
    await built(`${registry.host}/other/app:arm64`, 'arm64');
    const sources = [name('amd64'), `${registry.host}/other/app:arm64`];

    const planned = JSON.parse(await tbuild('imagetools', 'create', '--dry-run', ...sources));
    expect(planned.manifests.map(({ platform }: { platform: object }) => platform)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ]);

    await tbuild('imagetools', 'create', '-t', name('1'), '-t', name('latest'), '--annotation', 'team=us', ...sources);
    const merged = await rawOf(name('latest'));
    expect(merged).toEqual({ ...planned, annotations: { team: 'us' } });
    const copy = join(scratchDirectory('pulled'), 'layout');
    await skopeo(['copy', '--quiet', '--all', '--src-tls-verify=false', `docker://${name('1')}`, `oci:${copy}:1`]);
    expect(imagesOf(copy).flatMap(problemsOf)).toEqual([]);

    expect(JSON.parse(await tbuild('imagetools', 'inspect', '--raw', name('1')))).toEqual(merged);
    // A promotion from one repository to another keeps the digest.
    const promoted = `${registry.host}/released/app:1`;
    await tbuild('imagetools', 'create', '-t', promoted, name('1'));
    expect(await rawOf(promoted)).toEqual(merged);
    const digestOf = async (of: string) => /^Digest: +(\S+)$/m.exec(await tbuild('imagetools', 'inspect', of))?.[1];
    expect(await digestOf(promoted)).toBe(await digestOf(name('1')));

    const formatted = (format: string) => tbuild('imagetools', 'inspect', '--format', format, name('1'));
    expect(await formatted('{{range .Manifest.Manifests}}{{.Platform.Architecture}} {{end}}')).toBe('amd64 arm64 \n');
    expect(await formatted('{{.Name}} {{.Manifest.MediaType}} {{len .Manifest.Manifests}}')).toBe(
      `${name('1')} application/vnd.oci.image.index.v1+json 2\n`,
    );
    expect(await formatted('{{(index .Image "linux/arm64").Architecture}}')).toBe('arm64\n');
    expect(JSON.parse(await formatted('{{json .Manifest}}'))).toMatchObject({ ...merged, digest: expect.any(String) });

    const shown = await tbuild('imagetools', 'inspect', name('1'));
    expect(shown).toMatch(/^Name: +\S+\/team\/app:1\nMediaType: +application\/vnd\.oci\.image\.index/);
    expect(shown).toContain('Platform:    linux/arm64');
  });

  test('adds to a name with --append, and replaces images of the same platform', async () => {
    await using registry = await startRegistry();
    const name = `${registry.host}/app:1`;
    await built(name, 'amd64');
    await built(`${registry.host}/app:arm64`, 'arm64');
    await tbuild('imagetools', 'create', '--append', '-t', name, `${registry.host}/app:arm64`);
    expect((await rawOf(name)).manifests).toHaveLength(2);
    const context = writeFiles({ Dockerfile: 'FROM busybox\nCOPY f /f\n', f: 'newer\n' });
    await tbuild(
      'build',
      ...baseImageArguments(),
      '--platform',
      'linux/arm64',
      '--tag',
      `${registry.host}/app:newer`,
      '--push',
      context,
    );
    await tbuild('imagetools', 'create', '--append', '-t', name, `${registry.host}/app:newer`);
    const { manifests } = await rawOf(name);
    expect(manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture)).toEqual([
      'amd64',
      'arm64',
    ]);
    const only = JSON.parse(await tbuild('imagetools', 'create', '--dry-run', '-p', 'linux/arm64', name));
    expect(only.manifests).toEqual([manifests[1]]);
  });

  test('takes descriptors and metadata files, annotates entries, and can keep a single image without an index', async () => {
    await using registry = await startRegistry();
    const place = scratchDirectory('imagetools');
    const name = `${registry.host}/app`;
    await built(`${name}:amd64`, 'amd64');
    await built(`${name}:arm64`, 'arm64');
    const digestOf = async (of: string) =>
      (await tbuild('imagetools', 'inspect', '--format', '{{.Manifest.Digest}}', of)).trim();
    const [amd64, arm64] = [await digestOf(`${name}:amd64`), await digestOf(`${name}:arm64`)];
    writeFiles(
      { descriptor: JSON.stringify({ digest: amd64 }), metadata: JSON.stringify({ 'containerimage.digest': arm64 }) },
      place,
    );
    const files = ['-f', join(place, 'descriptor'), '-f', join(place, 'metadata')];
    const annotations = ['--annotation', 'manifest-descriptor[linux/arm64]:a=b', '--annotation', 'index:c=d'];
    const output = ['--metadata-file', join(place, 'made')];
    await tbuild('imagetools', 'create', '-t', `${name}:1`, ...files, ...annotations, ...output);
    const merged = await rawOf(`${name}:1`);
    expect(merged.manifests.map(({ digest }: { digest: string }) => digest)).toEqual([amd64, arm64]);
    expect(merged.manifests.map(({ annotations: said }: { annotations?: object }) => said)).toEqual([
      undefined,
      { a: 'b' },
    ]);
    expect(merged.annotations).toEqual({ c: 'd' });
    expect(JSON.parse(readFileSync(join(place, 'made'), 'utf8'))).toMatchObject({
      'containerimage.digest': await digestOf(`${name}:1`),
      'image.name': `${name}:1`,
    });
    await tbuild('imagetools', 'create', '--prefer-index=false', '-t', `${name}:same`, `${name}:amd64`);
    expect(await digestOf(`${name}:same`)).toBe(amd64);
    const refused = await runTbuild(['imagetools', 'create', '-t', name, '--annotation', 'manifest:a=b', name]);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('this command makes no')]);
  });

  test('keeps attestations with their images, and drops those of replaced or omitted images', async () => {
    await using registry = await startRegistry();
    const name = `${registry.host}/app`;
    const both = ['--platform', 'linux/amd64,linux/arm64', '--provenance=true', '--push'];
    for (const tag of ['1', '2']) {
      const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY f /f\n', f: tag });
      await tbuild('build', ...both, '--tag', `${name}:${tag}`, context);
    }
    const [first, second] = [(await rawOf(`${name}:1`)).manifests, (await rawOf(`${name}:2`)).manifests];
    await tbuild('imagetools', 'create', '-t', `${name}:new`, `${name}:1`, `${name}:2`);
    expect((await rawOf(`${name}:new`)).manifests).toEqual(second);
    await tbuild('imagetools', 'create', '-t', `${name}:arm`, '-p', 'linux/arm64', `${name}:1`);
    expect((await rawOf(`${name}:arm`)).manifests).toEqual([first[1], first[3]]);
  });

  test('requires a name and images', async () => {
    for (const args of [
      ['imagetools', 'create', 'a'],
      ['imagetools', 'create', '-t', 'a'],
      ['imagetools', 'nonsense'],
    ]) {
      const { exitCode, stderr } = await runTbuild(args);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('hint:');
    }
  });

  test('copies between registries and layouts, and shows what a layout holds', async () => {
    await using registry = await startRegistry();
    const name = `${registry.host}/team/app:1`;
    await built(name, 'amd64');
    await built(`${registry.host}/team/app:arm`, 'arm64');
    const directory = join(scratchDirectory('layout'), 'out');
    const layout = (tag: string) => `oci-layout://${directory}:${tag}`;

    await tbuild('imagetools', 'create', '-t', layout('1'), name, `${registry.host}/team/app:arm`);
    expect(imagesOf(directory).map(({ config }) => config.architecture)).toEqual(['amd64', 'arm64']);
    expect(imagesOf(directory).flatMap(problemsOf)).toEqual([]);
    expect(await tbuild('imagetools', 'inspect', layout('1'))).toContain('Platform:    linux/arm64');

    await tbuild('imagetools', 'create', '-t', `${registry.host}/copied/app:1`, layout('1'));
    const digestOf = async (of: string) => /^Digest: +(\S+)$/m.exec(await tbuild('imagetools', 'inspect', of))?.[1];
    expect(await digestOf(`${registry.host}/copied/app:1`)).toBe(await digestOf(layout('1')));

    await tbuild('imagetools', 'create', '-t', layout('1'), '--platform', 'linux/arm64', layout('1'));
    expect(imagesOf(directory).map(({ config }) => config.architecture)).toEqual(['arm64']);
  });

  test('rm removes the tags that match and are old enough', async () => {
    await using registry = await startRegistry();
    const name = (tag: string) => `${registry.host}/team/app:${tag}`;
    const pushed = async (tag: string, epoch: number) => {
      const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
      const cache = ['--cache-to', `type=registry,ref=${registry.host}/team/app/cache:${tag}`];
      const env = { SOURCE_DATE_EPOCH: String(epoch) };
      good(await runTbuild(['build', '-t', name(tag), '--push', '--sbom=true', ...cache, context], { env }));
    };
    const now = Math.floor(Date.now() / 1000);
    for (const [tag, epoch] of [
      ['mr-1', 1],
      ['mr-2', now],
      ['latest', 1],
    ] as const)
      await pushed(tag, epoch);
    const rm = (...args: string[]) => tbuild('imagetools', 'rm', ...args);
    const review = name('mr-*');

    expect(await rm('--filter', 'until=30d', '--dry-run', review)).toBe(`Would remove ${name('mr-1')}\n`);
    expect(await rm('--filter', 'until=30d', review)).toBe(`Removed ${name('mr-1')}\n`);
    expect(await rm(review)).toBe(`Removed ${name('mr-2')}\n`);
    expect(await tbuild('imagetools', 'inspect', name('latest'))).toContain('Digest:');
    expect(good(await runTbuild(['imagetools', 'rm', review])).stderr).toContain(`No tag matches ${review}`);

    // The steps of the caches ran just now.
    expect(await rm('--filter', 'until=1h', `${registry.host}/team/app/cache:*`)).toBe('');
    expect(await rm(`${registry.host}/team/app/cache:l*`)).toContain('cache:latest');
    expect(await rm('--filter', 'until=0s', `${registry.host}/team/app/cache:*`)).toContain('cache:mr-1');
  });

  test('rm of a tag that does not exist, and of a name without a tag, fails', async () => {
    await using registry = await startRegistry();
    await built(`${registry.host}/team/app:1`, 'amd64');
    const missing = await runTbuild(['imagetools', 'rm', `${registry.host}/team/app:2`]);
    expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining('team/app:2')]);
    const untagged = await runTbuild(['imagetools', 'rm', `${registry.host}/team/app`]);
    expect([untagged.exitCode, untagged.stderr]).toEqual([2, expect.stringContaining('expected NAME:TAG')]);
  });
});
