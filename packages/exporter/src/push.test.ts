import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { copyImage, createLocalStore, createMemoryStore } from '@tbuild/content';
import { createLayerVariants } from '@tbuild/layers';
import { isManifestType, parseReference, type Reference } from '@tbuild/oci';
import { createRegistryClient, type RegistryClient, type Repository } from '@tbuild/registry';
import { storeLayout } from '@tbuild/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRegistry, type Registry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { push } from './push.ts';
import { amd64, arm64, noReport, noSignal, testResult } from './test-image.ts';

describe('push', needs('registry'), () => {
  const root = mkdtempSync(join(tmpdir(), 'tbuild-push-'));
  const store = { content: createLocalStore(root), variants: createLayerVariants(storeLayout(root)) };
  let registry: Registry;
  let client: RegistryClient;
  const calls: string[] = [];
  beforeAll(async () => {
    registry = await startRegistry();
    const clock = { now: Date.now, sleep: (milliseconds: number) => setTimeout(milliseconds) };
    client = createRegistryClient({ credentials: async () => undefined, insecure: () => false, clock });
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    rmSync(root, { recursive: true });
  });

  /** A real repository that tells what is sent to it. */
  const openRepository = (reference: Reference): Repository => {
    const repository = client.openRepository(reference, 'push');
    return {
      ...repository,
      write: (source, expected, signal) => {
        calls.push(`write ${expected?.mediaType.replace(/^.*image\./, '')}`);
        return repository.write(source, expected, signal);
      },
      mount: async (digest, from, signal) => {
        calls.push(`mount from ${from}`);
        return repository.mount(digest, from, signal);
      },
      pushManifest: (manifest, tag, signal) => {
        calls.push(`put ${tag}`);
        return repository.pushManifest(manifest, tag, signal);
      },
    };
  };
  const pushed = async (names: readonly string[], platforms = [amd64]) => {
    calls.length = 0;
    const result = await testResult(
      names.map((name) => `${registry.host}/${name}`),
      platforms,
    );
    return push({ openRepository, store }).export(result, noReport, noSignal);
  };

  test('a push sends missing blobs, tags with one request each, and mounts between repositories', async () => {
    const { manifest } = await pushed(['team/app:1', 'team/app:2', 'other/app:1']);
    const blobs = ['write config.v1+json', 'write layer.v1.tar+gzip', 'write layer.v1.tar+gzip'];
    expect(calls.slice(0, 3).sort()).toEqual(blobs);
    expect(calls.slice(3)).toEqual([
      'put 1',
      'put 2',
      'mount from team/app',
      'mount from team/app',
      'mount from team/app',
      'put 1',
    ]);
    for (const name of ['team/app:1', 'team/app:2', 'other/app:1']) {
      const reference = parseReference(`${registry.host}/${name}`);
      const repository = client.openRepository(reference);
      const root = await repository.resolve(reference.tag ?? '');
      expect(root.digest).toBe(manifest?.digest);
      await copyImage(root, { from: repository, to: createMemoryStore() });
    }
  });

  test('a second push sends nothing', async () => {
    await pushed(['team/app:1', 'team/app:3']);
    expect(calls).toEqual(['put 1', 'put 3']);
  });

  test('a push asks about the image and its blobs at once', async () => {
    let tell = (): void => {};
    const blobIsAsked = new Promise<void>((resolve) => (tell = resolve));
    const reference = parseReference(`${registry.host}/team/early:1`);
    const { has, ...repository } = openRepository(reference);
    const asking: Repository = {
      ...repository,
      async has(blob, signal) {
        if (isManifestType(blob.mediaType ?? '')) await blobIsAsked;
        else tell();
        return has(blob, signal);
      },
    };
    const result = await testResult([`${registry.host}/team/early:1`], [amd64]);
    const { manifest } = await push({ openRepository: () => asking, store }).export(result, noReport, noSignal);
    expect((await client.openRepository(reference).resolve('1')).digest).toBe(manifest?.digest);
  }, 30_000);

  test('a push asks about a layer that an image has twice once, and fails with the first answer that is missing', async () => {
    const name = `${registry.host}/team/twice:1`;
    const result = await testResult([name]);
    const images = result.images.map(({ image, ...exported }) => ({
      ...exported,
      image: {
        ...image,
        layers: [...image.layers, ...image.layers.slice(-1)],
        history: [...image.history, { created_by: 'again' }],
      },
    }));
    const asked: string[] = [];
    const repository: Repository = {
      ...openRepository(parseReference(name)),
      async has({ digest }) {
        asked.push(digest);
        throw new Error('No answer');
      },
    };
    const exporter = push({ openRepository: () => repository, store });
    await expect(exporter.export({ ...result, images }, noReport, noSignal)).rejects.toThrow('No answer');
    expect(asked).toHaveLength(4);
    expect(new Set(asked).size).toBe(4);
  });

  test('several platforms are pushed as one index', async () => {
    const { manifest } = await pushed(['team/multi:1'], [amd64, arm64]);
    const repository = client.openRepository(parseReference(`${registry.host}/team/multi:1`));
    const root = await repository.resolve('1');
    expect(root).toMatchObject({ digest: manifest?.digest, mediaType: 'application/vnd.oci.image.index.v1+json' });
    await copyImage(root, { from: repository, to: createMemoryStore() });
  });

  test('pushing an image without a name fails', async () => {
    await expect(pushed([])).rejects.toMatchObject({ code: 'USAGE', hint: 'Name it with -t' });
  });
});
