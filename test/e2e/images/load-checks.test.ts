import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { digestOf } from '@tbuild/oci';
import { describe, expect, test } from 'vitest';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild } from '../../support/tbuild.ts';
import { tarOf, type NewMember } from '../../support/write-tar.ts';

const right = tarOf([{ name: 'right', data: 'right\n' }]);
const wrong = tarOf([{ name: 'wrong', data: 'wrong\n' }]);

async function load(members: readonly NewMember[]) {
  const store = scratchDirectory('store');
  const archive = join(scratchDirectory('archive'), 'image.tar');
  writeFileSync(archive, tarOf(members));
  const { exitCode, stderr } = await runTbuild(['load', '-i', archive], { store });
  const { stdout } = good(await runTbuild(['images', '--format', '{{.Repository}}'], { store }));
  return { exitCode, stderr, names: stdout.trim() };
}

describe.each(['docker', 'layout'])('load of an archive (%s)', (form) => {
  test.each([
    ['as it is', right],
    ['compressed', gzipSync(right)],
  ])('takes the layer of its diff ID, %s', async (_, layer) => {
    expect(await load(imageMembers(form, layer, digestOf(right)))).toEqual({ exitCode: 0, stderr: '', names: 'app' });
  });

  test.each([
    ['as it is', wrong],
    ['compressed', gzipSync(wrong)],
  ])('refuses a layer of another diff ID, %s, and names nothing', async (_, layer) => {
    const { exitCode, stderr, names } = await load(imageMembers(form, layer, digestOf(right)));
    expect({ exitCode, names }).toEqual({ exitCode: 1, names: '' });
    expect(stderr).toBe(
      `ERROR: Layer ${digestOf(layer)} unpacks to ${digestOf(wrong)}, expected ${digestOf(right)}\nhint: Save the image again: the archive was damaged or changed\n`,
    );
  });

  // In Docker's form diff IDs alone say which layers there are.
  if (form === 'docker') return;
  test('refuses a layer that has no diff ID', async () => {
    const { exitCode, stderr, names } = await load(imageMembers(form, right));
    expect({ exitCode, names }).toEqual({ exitCode: 1, names: '' });
    expect(stderr).toContain('has 0 diff IDs, expected 1');
  });
});

/** The files of an archive with an image of one layer. */
function imageMembers(form: string, layer: Buffer, ...diffIds: string[]): readonly NewMember[] {
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }));
  const json = (name: string, document: unknown) => ({ name, data: JSON.stringify(document) });
  const blob = (data: Buffer) => ({ name: `blobs/sha256/${digestOf(data).slice(7)}`, data });
  if (form === 'docker') {
    const entry = { Config: 'config.json', RepoTags: ['app:1'], Layers: ['0/layer.tar'] };
    return [
      { name: 'config.json', data: config },
      { name: '0/layer.tar', data: layer },
      json('manifest.json', [entry]),
    ];
  }
  const descriptorOf = (mediaType: string, data: Buffer) => ({ mediaType, digest: digestOf(data), size: data.length });
  const type = (name: string) => `application/vnd.oci.image.${name}`;
  const compression = gunzip(layer).equals(layer) ? '' : '+gzip';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type('manifest.v1+json'),
      config: descriptorOf(type('config.v1+json'), config),
      layers: [descriptorOf(type(`layer.v1.tar${compression}`), layer)],
    }),
  );
  const entry = {
    ...descriptorOf(type('manifest.v1+json'), manifest),
    annotations: { 'io.containerd.image.name': 'docker.io/library/app:1' },
  };
  return [
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    json('index.json', { schemaVersion: 2, manifests: [entry] }),
    ...[config, layer, manifest].map(blob),
  ];
}

function gunzip(data: Buffer): Buffer {
  return data[0] === 0x1f ? gunzipSync(data) : data;
}
