import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

test('BUILDX_METADATA_WARNINGS adds the warnings to the metadata file', async () => {
  const metadata = join(scratchDirectory('metadata'), 'metadata.json');
  const context = writeFiles({ Dockerfile: 'FROM scratch as a\nCOPY Dockerfile /\n' });
  const read = async (env: Readonly<Record<string, string>>) => {
    good(await runTbuild(['--metadata-file', metadata, context], { env }));
    return JSON.parse(readFileSync(metadata, 'utf8'));
  };
  expect(await read({})).not.toHaveProperty(['buildx.build.warnings']);
  const { 'buildx.build.warnings': warnings } = await read({ BUILDX_METADATA_WARNINGS: 'true' });
  expect(warnings).toEqual([
    expect.objectContaining({
      level: 1,
      url: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
      range: [{ start: { line: 1 }, end: { line: 1 } }],
    }),
  ]);
  expect(Buffer.from(warnings[0].short, 'base64').toString()).toMatch(/^FromAsCasing: /);
});

test('The metadata file names each build', async () => {
  const metadata = join(scratchDirectory('metadata'), 'metadata.json');
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const refs = [];
  for (let count = 0; count < 2; count += 1) {
    good(await runTbuild(['--metadata-file', metadata, context]));
    refs.push(JSON.parse(readFileSync(metadata, 'utf8'))['buildx.build.ref']);
  }
  for (const ref of refs) expect(ref).toMatch(/^default\/default\/[0-9a-z]{25}$/);
  expect(new Set(refs).size).toBe(2);
});

describe('BUILDX_METADATA_PROVENANCE', () => {
  const read = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) => {
    const metadata = join(scratchDirectory('metadata'), 'metadata.json');
    const context = writeFiles({ Dockerfile: 'FROM scratch\nARG V\nCOPY Dockerfile /\n' });
    good(await runTbuild(['--metadata-file', metadata, '--build-arg', 'V=1', ...args, context], { env }));
    return JSON.parse(readFileSync(metadata, 'utf8'));
  };
  const KEY = 'buildx.build.provenance';

  test('min, the default, leaves out steps and times', async () => {
    const { [KEY]: provenance, 'buildx.build.ref': ref } = await read({});
    expect(Object.keys(provenance).toSorted()).toEqual(['buildType', 'invocation', 'materials']);
    expect(provenance).toMatchObject({
      buildType: 'https://mobyproject.org/buildkit@v1',
      invocation: { parameters: { frontend: 'dockerfile.v0', args: { 'build-arg:V': '1' } } },
    });
    const { [KEY]: all, 'buildx.build.ref': other } = await read({ BUILDX_METADATA_PROVENANCE: 'max' });
    expect(all).toMatchObject({
      buildConfig: { llbDefinition: expect.any(Array) },
      metadata: { buildInvocationID: other.split('/')[2], buildStartedOn: expect.any(String) },
    });
    expect(ref).not.toBe(other);
  });

  test.each(['disabled', 'false', '0'])('%s leaves the provenance out', async (BUILDX_METADATA_PROVENANCE) => {
    expect(await read({ BUILDX_METADATA_PROVENANCE })).not.toHaveProperty([KEY]);
  });

  test('several platforms have one provenance each', async () => {
    const document = await read({}, '--platform', 'linux/amd64,linux/arm64/v8');
    expect(Object.keys(document)).toEqual(
      expect.arrayContaining([`${KEY}/linux/amd64`, `${KEY}/linux/arm64`, 'buildx.build.ref']),
    );
  });

  test('a bake file has a name and a provenance for each target, and the warnings together', async () => {
    const directory = writeFiles({
      Dockerfile: 'FROM scratch as a\nCOPY Dockerfile /\n',
      'docker-bake.hcl':
        'group "default" { targets = ["a", "b"] }\ntarget "a" {}\ntarget "b" { labels = { b = "1" } }\n',
    });
    const metadata = join(directory, 'metadata.json');
    const env = { BUILDX_METADATA_WARNINGS: '1' };
    good(await runTbuild(['bake', '--metadata-file', metadata], { cwd: directory, env }));
    const document = JSON.parse(readFileSync(metadata, 'utf8'));
    const named = { 'buildx.build.ref': expect.any(String), [KEY]: expect.objectContaining({ materials: [] }) };
    expect(document).toMatchObject({ a: named, b: named });
    expect(document['buildx.build.warnings']).toHaveLength(2);
    // All targets are one build, which the name finds.
    const ref = document.a['buildx.build.ref'];
    expect(document.b['buildx.build.ref']).toBe(ref);
    expect(good(await runTbuild(['builds', 'show', '--format', '{{.Name}}', ref])).stdout).toBe('a, b\n');
  });
});

test('BUILDX_GIT_INFO=false leaves the repository out of provenance', async () => {
  const metadata = join(scratchDirectory('metadata'), 'metadata.json');
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  for (const args of [['init'], ['add', '.'], ['commit', '-m', 'one']])
    await runChecked('git', ['-C', context, ...identity, ...args]);
  const vcs = async (env: Readonly<Record<string, string>>) => {
    const variables = { BUILDX_METADATA_PROVENANCE: 'max', ...env };
    good(await runTbuild(['--metadata-file', metadata, context], { env: variables }));
    const { metadata: recorded } = JSON.parse(readFileSync(metadata, 'utf8'))['buildx.build.provenance'];
    return recorded['https://mobyproject.org/buildkit@v1#metadata'].vcs;
  };
  expect(await vcs({})).toMatchObject({ revision: expect.stringMatching(/^[0-9a-f]{40}/) });
  expect(await vcs({ BUILDX_GIT_INFO: 'false' })).toBeUndefined();
});

describe('BUILDX_GIT_LABELS', () => {
  const git = (directory: string, ...args: string[]) =>
    runChecked('git', ['-C', directory, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
  const labels = async (context: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) =>
    good(await buildContext(context, { env, args })).image().config.config?.Labels;

  test('labels the image with commit, repository and Dockerfile', async () => {
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    await git(context, 'init', '--quiet');
    await git(context, 'remote', 'add', 'origin', 'https://user:secret@example.com/app.git');
    await git(context, 'add', '.');
    await git(context, 'commit', '--quiet', '-m', 'one');
    const commit = (await git(context, 'rev-parse', 'HEAD')).trim();
    expect(await labels(context, { BUILDX_GIT_LABELS: '1' })).toEqual({
      'com.docker.image.source.entrypoint': 'Dockerfile',
      'org.opencontainers.image.revision': commit,
      'org.opencontainers.image.source': 'https://example.com/app.git',
    });
    expect(await labels(context, {})).toBeUndefined();

    writeFiles({ new: '' }, context);
    const dirty = await labels(context, { BUILDX_GIT_LABELS: 'full', BUILDX_GIT_CHECK_DIRTY: 'true' }, [
      '--label',
      'org.opencontainers.image.source=mine',
    ]);
    expect(dirty).toMatchObject({
      'org.opencontainers.image.revision': `${commit}-dirty`,
      'org.opencontainers.image.source': 'mine',
    });

    rmSync(join(context, 'Dockerfile'));
    writeFiles({ Containerfile: 'FROM scratch\nCOPY new /\n' }, context);
    expect(await labels(context, { BUILDX_GIT_LABELS: '1' })).toMatchObject({
      'com.docker.image.source.entrypoint': 'Containerfile',
    });
  });

  test('adds nothing to a context that is in no repository', async () => {
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    expect(await labels(context, { BUILDX_GIT_LABELS: '1', GIT_CEILING_DIRECTORIES: '/' })).toBeUndefined();
  });
});
