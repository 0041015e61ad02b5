import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImage } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { imagesOf } from '../../support/layout.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildInline, good, userDirectory } from '../../support/tbuild.ts';
import { tarOf, type NewMember } from '../../support/write-tar.ts';

/** Writes a layout whose image is busybox plus a layer of `members`. */
function layoutWith(members: readonly NewMember[]): string {
  const directory = scratchDirectory('hostile');
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  const base = imagesOf(baseImage('busybox')).find(
    ({ config }) => config.architecture === { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64'],
  );
  const archive = tarOf(members);
  const write = (mediaType: string, data: Buffer) => {
    const digest = `sha256:${createHash('sha256').update(data).digest('hex')}`;
    writeFileSync(join(directory, 'blobs', digest.replace(':', '/')), data);
    return { mediaType, digest, size: data.length };
  };
  const [below] = base!.manifest.layers;
  writeFileSync(
    join(directory, 'blobs', below!.digest.replace(':', '/')),
    readFileSync(join(base!.layout, 'blobs', below!.digest.replace(':', '/'))),
  );
  const layer = write('application/vnd.oci.image.layer.v1.tar', archive);
  const diffIds = [...base!.config.rootfs.diff_ids, layer.digest];
  const config = {
    ...base!.config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [{ created_by: 'base' }, { created_by: 'hostile' }],
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: base!.manifestDescriptor.mediaType,
    config: write(base!.manifest.config.mediaType, Buffer.from(JSON.stringify(config))),
    layers: [below, layer],
  };
  const root = write(base!.manifestDescriptor.mediaType, Buffer.from(JSON.stringify(manifest)));
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...root, annotations }] }),
  );
  return directory;
}

describe.each(builders)('a base image that tries to leave its root, extracted by $who:', ({ asUser }) => {
  const canary = () => join(asUser ? userDirectory('canary') : scratchDirectory('canary'), 'file');
  const attempts: readonly (readonly [string, (target: string) => readonly NewMember[]])[] = [
    ['a path of dots', (target) => [{ name: `../../../../../../../../..${target}`, data: 'x' }]],
    ['an absolute path', (target) => [{ name: target, data: 'x' }]],
    [
      'through a symbolic link',
      (target) => [
        { name: 'leave', type: 'symlink', linkname: join(target, '..') },
        { name: 'leave/file', data: 'x' },
      ],
    ],
    [
      'through a relative symbolic link',
      (target) => [
        { name: 'leave', type: 'symlink', linkname: `../../../../../../../../../..${join(target, '..')}` },
        { name: 'leave/file', data: 'x' },
      ],
    ],
    [
      'by a hard link to a link',
      (target) => [
        { name: 'link', type: 'symlink', linkname: target },
        { name: 'hard', type: 'link', linkname: 'link' },
        { name: 'hard', data: 'x' },
      ],
    ],
    [
      'by a whiteout',
      (target) => [
        { name: 'leave', type: 'symlink', linkname: join(target, '..') },
        { name: 'leave/.wh.victim', data: '' },
      ],
    ],
  ];

  test.each(attempts)('%s', async (_name, members) => {
    const target = canary();
    const victim = join(target, '../victim');
    writeFileSync(victim, 'untouched');
    const layout = layoutWith(members(target));
    const args = ['--build-context', `hostile=oci-layout://${layout}`];
    const build = await buildInline({ Dockerfile: 'FROM hostile\nRUN ls / > /list\n' }, { asUser, images: [], args });
    expect([0, 1]).toContain(build.exitCode);
    expect(existsSync(target)).toBe(false);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    expect(build.stderr).not.toMatch(/^ +at \S+ \(/m);
  });
});

test('attributes of overlayfs in an archive do not reach the mount', async () => {
  const layout = layoutWith([
    {
      name: 'etc/',
      type: 'directory',
      mode: 0o755,
      pax: { 'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.user.overlay.opaque': 'y' },
    },
    { name: 'etc/more', data: 'more\n' },
  ]);
  const args = ['--build-context', `hostile=oci-layout://${layout}`];
  const build = good(
    await buildInline({ Dockerfile: 'FROM hostile\nRUN cat /etc/more /etc/passwd > /both\n' }, { images: [], args }),
  );
  expect(build.tree().readText('/both')).toMatch(/^more\nroot:/);
});

test('a layer that does not match its digest is refused', async () => {
  const layout = layoutWith([{ name: 'f', data: 'f' }]);
  const [image] = imagesOf(layout);
  const blob = join(layout, 'blobs', image!.manifest.layers[1]!.digest.replace(':', '/'));
  const data = readFileSync(blob);
  data[512] = data[512]! ^ 1;
  writeFileSync(blob, data);
  const args = ['--build-context', `hostile=oci-layout://${layout}`];
  const build = await buildInline({ Dockerfile: 'FROM hostile\nRUN true\n' }, { images: [], args });
  expect(build.exitCode).toBe(1);
  expect(build.stderr).toContain(image!.manifest.layers[1]!.digest);
});
