import { readFileSync } from 'node:fs';
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
  });

  test('adds nothing to a context that is in no repository', async () => {
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    expect(await labels(context, { BUILDX_GIT_LABELS: '1', GIT_CEILING_DIRECTORIES: '/' })).toBeUndefined();
  });
});
