import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startContainerd } from '../../support/containerd.ts';
import { docker } from '../../support/docker.ts';
import { containersTools } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildGood } from '../../support/tbuild.ts';

const files = {
  Dockerfile: 'FROM busybox\nRUN echo made > /made\nCMD ["cat", "/made"]\n',
};

/** Archives of one image, all with the name `engines/app:1`. */
describe('an archive', () => {
  const place = scratchDirectory('archives');
  const archives = [
    'type=oci',
    'type=docker',
    'type=oci,compression=uncompressed',
    'type=docker,compression=gzip',
  ] as const;
  const pathOf = (spec: string) => join(place, `${spec.replaceAll(/[=,]/g, '-')}.tar`);
  beforeAll(async () => {
    const outputs = archives.flatMap((spec) => ['-o', `${spec},dest=${pathOf(spec)}`]);
    await buildGood(files, { args: ['--tag', 'engines/app:1', ...outputs] });
  });

  describe('given to docker load -i', needs('docker'), () => {
    test.each(archives)('%s', async (spec) => {
      const host = await sharedService('docker');
      expect(await docker(host, ['load', '-i', pathOf(spec)])).toContain('Loaded image: engines/app:1');
      expect(await docker(host, ['run', '--rm', '--network', 'none', 'engines/app:1'])).toBe('made\n');
      await docker(host, ['rmi', 'engines/app:1']);
    });

    test('names the image as docker save does', async () => {
      const host = await sharedService('docker');
      const manifest = async (archive: string) =>
        JSON.parse(await runChecked('tar', ['-xOf', archive, 'manifest.json']))[0];
      await docker(host, ['load', '-i', pathOf('type=docker')]);
      await docker(host, ['save', '-o', join(place, 'saved.tar'), 'engines/app:1']);
      await docker(host, ['rmi', 'engines/app:1']);
      const [own, saved] = [await manifest(pathOf('type=docker')), await manifest(join(place, 'saved.tar'))];
      expect(own.RepoTags).toEqual(saved.RepoTags);
      expect(own.Config).toBe(saved.Config);
      expect(own.Layers).toHaveLength(saved.Layers.length);
    });
  });

  describe('given to podman load -i', needs('podman'), () => {
    const tools = containersTools();
    test.each(archives)('%s', async (spec) => {
      // Podman puts short names under its own registry.
      expect(await tools.podman(['load', '-i', pathOf(spec)])).toMatch(/Loaded image: .*engines\/app:1/);
      await tools.podman(['rmi', 'engines/app:1']);
    });
  });

  describe('given to ctr images import', needs('containerd'), () => {
    test('all of them', async () => {
      await using containerd = await startContainerd();
      for (const spec of archives) {
        await containerd.ctr(['images', 'import', pathOf(spec)]);
        expect(await containerd.ctr(['images', 'ls', '-q'])).toBe('docker.io/engines/app:1\n');
        expect(await containerd.ctr(['run', '--rm', '--null-io', 'docker.io/engines/app:1', 'check', 'true'])).toBe('');
        await containerd.ctr(['images', 'rm', '--sync', 'docker.io/engines/app:1']);
      }
    });
  });
});
