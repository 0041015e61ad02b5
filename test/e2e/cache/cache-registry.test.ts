import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { blobsIn, DOCKERFILE, files } from '../../support/cached-project.ts';
import { skopeo } from '../../support/peers.ts';
import { ranIn, stepsIn } from '../../support/plain-progress.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildContext, buildGood, good, type InlineBuild } from '../../support/tbuild.ts';

const ran = (build: InlineBuild) => ranIn(build.stderr);

describe('a cache in a registry', needs('registry'), () => {
  const fromRegistry = { images: [] } as const;

  test('gives an empty store every step, and each layer is pushed once', async () => {
    await using registry = await startRegistry();
    const base = await pushBaseImage('busybox', registry.host);
    const own = { ...files, Dockerfile: DOCKERFILE.replaceAll('FROM busybox', `FROM ${base}`) };
    const ref = `${registry.host}/cache/app:main`;
    const args = [
      '--tag',
      `${registry.host}/app:1`,
      '--push',
      '--cache-to',
      `type=registry,ref=${ref},mode=max,image-manifest=true,oci-mediatypes=true`,
      '--cache-from',
      ref,
    ];
    const first = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args });
    expect(first.stderr).toContain('is ignored');
    const second = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args });
    expect(ran(second)).toEqual([]);
    expect(second.id()).toBe(first.id());
    expect(second.stderr).not.toContain('writing layer');
    const manifest = JSON.parse(await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${ref}`]));
    expect(manifest.mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
    expect(manifest.layers.length).toBeGreaterThan(5);
    expect(new Set(manifest.layers.map((layer: { mediaType: string }) => layer.mediaType))).toEqual(
      new Set(['application/vnd.oci.image.layer.v1.tar+gzip', 'application/vnd.tbuild.cache.explanations.v1+gzip']),
    );
  });

  test('in the registry of the pushed image provides its layers without fetching them', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const own = { ...files, Dockerfile: DOCKERFILE.replaceAll('FROM busybox', `FROM ${base}`) };
    const ref = `${host}/mounted/cache:1`;
    const to = ['--cache-to', `type=registry,ref=${ref}`];
    const first = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args: to });
    const store = scratchDirectory('store');
    const output = ['-o', 'type=registry,store=false', '--tag', `${host}/mounted/app:1`];
    const second = await buildGood(own, { ...fromRegistry, store, args: ['--cache-from', ref, ...output] });
    expect(ran(second)).toEqual([]);
    const isLayer = (blob: string) =>
      readFileSync(join(store, 'blobs/sha256', blob))
        .subarray(0, 1)
        .toString() !== '{';
    expect(blobsIn(store).filter(isLayer)).toEqual([]);
    const pushed = await skopeo(['inspect', '--config', '--tls-verify=false', `docker://${host}/mounted/app:1`]);
    expect(JSON.parse(pushed).rootfs.diff_ids).toHaveLength(first.image().config.rootfs.diff_ids.length);
  });

  test('lets a copy run again on a base of which nothing is fetched, with the same layer', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const ref = `${host}/outlined/cache:1`;
    const dockerfile = `FROM scratch AS source
COPY f /in/f
FROM ${base}
RUN mkdir -p /srv/app/lib && chmod 2750 /srv/app && cat /proc/sys/kernel/random/uuid > /id
COPY --from=source /in/ /srv/app/
`;
    const args = ['--cache-from', ref, '--cache-to', `type=registry,ref=${ref},mode=max`];
    const first = await buildGood(
      { Dockerfile: dockerfile, f: '1' },
      { ...fromRegistry, store: scratchDirectory('store'), args },
    );
    // Twice, since a machine passes on what it was told.
    for (const f of ['2', '3']) {
      writeFileSync(join(first.context, 'f'), f);
      const store = scratchDirectory('store');
      const output = ['-o', 'type=registry,store=false', '--tag', `${host}/outlined/app:${f}`];
      const next = good(await buildContext(first.context, { ...fromRegistry, store, args: [...args, ...output] }));
      expect(ran(next)).toEqual(['COPY f /in/f', 'COPY --from=source /in/ /srv/app/']);
      const inspect = async (how: string) =>
        JSON.parse(await skopeo(['inspect', how, '--tls-verify=false', `docker://${host}/outlined/app:${f}`]));
      const layers: readonly { digest: string }[] = (await inspect('--raw')).layers;
      const below = layers.slice(0, -1).map(({ digest }) => digest.slice('sha256:'.length));
      expect(blobsIn(store).filter((blob) => below.includes(blob))).toEqual([]);
      const whole = good(await buildContext(first.context, { ...fromRegistry, store: first.store }));
      expect((await inspect('--config')).rootfs).toEqual(whole.image().config.rootfs);
    }
  });

  test('can be embedded in the image (inline)', async () => {
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

  test.each([
    ['mode=min', 'type=registry,mode=min', 'cache:min'],
    ['mode=max', 'type=registry,mode=max', 'cache:max'],
    ['the image itself', 'type=inline', 'inline:stages'],
  ])('as %s gives an empty store the stages without fetching their layers', async (_name, type, name) => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const ref = `${host}/${name}`;
    const own = { ...files, Dockerfile: DOCKERFILE.replaceAll('FROM busybox', `FROM ${base}`) };
    const isInline = type === 'type=inline';
    const to = isInline ? ['--tag', ref, '--push', '--cache-to', type] : ['--cache-to', `${type},ref=${ref}`];
    const first = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args: to });
    const store = scratchDirectory('store');
    const tag = ['--tag', `${host}/imported:1`, ...(isInline ? ['--cache-to', 'type=inline'] : [])];
    const second = await buildGood(own, { ...fromRegistry, store, args: ['--cache-from', ref, ...tag, '--push'] });
    expect(ran(second)).toEqual([]);
    expect(second.id()).toBe(first.id());
    expect(readdirSync(join(store, 'snapshots')).filter((each) => each !== '.active')).toEqual([]);
    const image = JSON.parse(await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${host}/imported:1`]));
    const ofImage = image.layers.map((layer: { digest: string }) => layer.digest.slice(7));
    const sizes = blobsIn(store).filter((blob) => !ofImage.includes(blob));
    const isLayer = (blob: string) =>
      readFileSync(join(store, 'blobs/sha256', blob))
        .subarray(0, 1)
        .toString() !== '{';
    expect(sizes.filter(isLayer)).toEqual([]);
  });

  describe('that lost layers', () => {
    const lossy = {
      Dockerfile: `FROM busybox AS build
RUN cat /proc/sys/kernel/random/uuid > /stage
RUN cp /stage /copy
FROM busybox
COPY --from=build /copy /copy
RUN cat /proc/sys/kernel/random/uuid > /own
ARG N=1
RUN cat /copy /own > /last; echo $N > /n
`,
    };
    const setUp = async (registry: { readonly host: string }) => {
      const base = await pushBaseImage('busybox', registry.host);
      const own = { Dockerfile: lossy.Dockerfile.replaceAll('FROM busybox', `FROM ${base}`) };
      const ref = `${registry.host}/cache/lossy:1`;
      const to = ['--cache-to', `type=registry,ref=${ref},mode=max`];
      const first = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args: to });
      const manifest = JSON.parse(await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${ref}`]));
      const isLayer = ({ mediaType }: { mediaType: string }) => mediaType.includes('.layer.');
      const digests: string[] = manifest.layers.filter(isLayer).map(({ digest }: { digest: string }) => digest);
      const document = await fetch(`http://${registry.host}/v2/cache/lossy/blobs/${manifest.config.digest}`);
      const { steps }: { steps: { createdAt: number; layer?: number }[] } = JSON.parse(await document.text());
      const newest = steps.toSorted((a, b) => a.createdAt - b.createdAt).at(-1);
      const last: string = manifest.layers[newest?.layer ?? 0].digest;
      return { own, first, from: ['--cache-from', ref], digests, last, tag: `${registry.host}/lossy/app:1` };
    };

    test('reruns the steps whose layers are needed, and the steps that depend on them, and reports it', async () => {
      await using registry = await startRegistry();
      const { own, digests, from } = await setUp(registry);
      for (const digest of digests) registry.lose(digest);
      const args = [...from, '--build-arg', 'N=2'];
      const next = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args });
      expect(next.stderr).toMatch(/A cached layer is missing, .*: not found/);
      const tree = next.tree();
      expect(tree.readText('/last')).toBe(tree.readText('/copy') + tree.readText('/own'));
      expect(tree.readText('/n')).toBe('2\n');
      expect(ran(next)).toHaveLength(5);
    });

    test('reruns the steps that an output needs', async () => {
      await using registry = await startRegistry();
      const { own, first, last, from, tag } = await setUp(registry);
      registry.lose(last);
      const store = scratchDirectory('store');
      const next = await buildGood(own, { ...fromRegistry, store, args: [...from, '--push', '--tag', tag] });
      expect(next.stderr).toContain(`A cached layer is missing, so its step runs again: Blob ${last} of`);
      expect(ran(next)).toEqual(['RUN cat /copy /own > /last; echo 1 > /n']);
      expect(next.tree().readText('/last')).toBe(first.tree().readText('/last'));
      await skopeo(['inspect', '--tls-verify=false', `docker://${tag}`]);
    });

    test('starts with an empty cache mount when its directory is missing', async () => {
      await using registry = await startRegistry();
      const base = await pushBaseImage('busybox', registry.host);
      const own = {
        Dockerfile: `FROM ${base}\nARG N=1\nRUN --mount=type=cache,target=/c,id=lost echo $N >> /c/log; cp /c/log /seen\n`,
      };
      const ref = `${registry.host}/cache/mounts:1`;
      const to = ['--cache-to', `type=registry,ref=${ref},mounts=true`];
      await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args: to });
      const manifest = JSON.parse(await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${ref}`]));
      for (const { digest } of manifest.layers) registry.lose(digest);
      const args = ['--cache-from', ref, '--build-arg', 'N=2'];
      const next = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args });
      expect(next.tree().readText('/seen')).toBe('2\n');
    });
  });

  test('of a multi-platform image holds the layers of each platform', async () => {
    const host = await sharedService('registry');
    const own = {
      Dockerfile: `FROM scratch AS one
ARG TARGETARCH
COPY f /$TARGETARCH
FROM scratch
ARG TARGETARCH
COPY --from=one /$TARGETARCH /one
COPY f /two
`,
      f: 'f\n',
    };
    const platforms = ['--platform', 'linux/amd64,linux/arm64'];
    const ref = `${host}/inline/platforms:1`;
    const to = [...platforms, '--tag', ref, '--push', '--cache-to', 'type=inline'];
    await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args: to });
    const from = [...platforms, '--cache-from', ref];
    const next = await buildGood(own, { ...fromRegistry, store: scratchDirectory('store'), args: from });
    const steps = [...stepsIn(next.stderr)].filter(([name]) => name.includes('] COPY '));
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.filter(([, status]) => status !== 'cached')).toEqual([]);
  });

  test('that is read from an image without one causes a warning', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const build = await buildGood(
      { Dockerfile: `FROM ${base}\nRUN true\n` },
      { ...fromRegistry, args: ['--cache-from', base] },
    );
    expect(build.stderr).toContain('holds no cache');
  });
});
