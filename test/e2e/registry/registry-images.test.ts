import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const own = process.arch === 'x64' ? 'amd64' : 'arm64';

interface Part {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
}

describe('an image in a registry', needs('registry'), () => {
  let name = '';
  let parts: readonly Part[] = [];
  const url = (path: string) => `http://${name.replace('/', '/v2/')}/${path}`;

  /** Pushes an arbitrary index under a tag and returns its descriptor. */
  const put = async (tag: string, manifests: readonly Part[]): Promise<Part> => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
    const answer = await fetch(url(`manifests/${tag}`), { method: 'PUT', body, headers: { 'content-type': INDEX } });
    expect(answer.status).toBe(201);
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    return { mediaType: INDEX, digest, size: body.length };
  };
  const platformOf = (part: Part, platform: object): Part => ({ ...part, platform });
  const bare = ({ mediaType, digest, size }: Part): Part => ({ mediaType, digest, size });

  beforeAll(async () => {
    const base = await pushBaseImage('busybox', await sharedService('registry'));
    name = base.replace(/(:[^:/]+)?(@.*)?$/, '');
    const answer = await fetch(url(`manifests/${base.slice(name.length + 1)}`), { headers: { accept: INDEX } });
    ({ manifests: parts } = (await answer.json()) as { manifests: Part[] });
  });

  const partFor = (architecture: string): Part => {
    const found = parts.find(({ platform }) => JSON.stringify(platform).includes(`"${architecture}"`));
    if (found === undefined) throw new Error(`There is no ${architecture}`);
    return found;
  };
  const pulled = async (tag: string, ...args: readonly string[]) => {
    const store = scratchDirectory('store');
    const result = await runTbuild(['pull', ...args, `${name}:${tag}`], { store });
    return { ...result, digest: /^Digest: (.*)$/m.exec(result.stdout)?.[1] };
  };
  const built = (tag: string) =>
    runTbuild(['build', writeFiles({ Dockerfile: `FROM ${name}:${tag}\nENV A=1\n` })], {
      store: scratchDirectory('store'),
    });

  test('is found beside attestations, in an index without platforms, and in nested indexes', async () => {
    const unknown = { os: 'unknown', architecture: 'unknown' };
    const other = partFor(own === 'amd64' ? 'arm64' : 'amd64');
    const attested = await put('attested', [platformOf(other, unknown), partFor(own)]);
    await put('bare', [bare(partFor(own))]);
    await put('nested', [attested]);
    for (const tag of ['attested', 'bare', 'nested']) {
      expect((await pulled(tag)).digest, tag).toBe(partFor(own).digest);
      good(await built(tag));
    }
  });

  test('is the best variant of its platform', async () => {
    const arm = (variant: string, part: Part) => platformOf(part, { os: 'linux', architecture: 'arm', variant });
    const [v6, v7] = [partFor('arm64'), partFor('amd64')];
    await put('variants', [arm('v6', v6), arm('v7', v7)]);
    expect((await pulled('variants', '--platform', 'linux/arm/v6')).digest).toBe(v6.digest);
    expect((await pulled('variants', '--platform', 'linux/arm/v7')).digest).toBe(v7.digest);
    expect((await pulled('variants', '--platform', 'linux/arm/v8')).digest).toBe(v7.digest);
    const { exitCode, stderr } = await pulled('variants', '--platform', 'linux/arm/v5');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Choose one of its platforms: linux/arm/v6, linux/arm/v7');
  });

  test('is refused with a message when its index is nested endlessly or empty', async () => {
    let part = await put('deep', [bare(partFor(own))]);
    for (let depth = 0; depth < 5; depth++) part = await put('deep', [part]);
    const deep = await pulled('deep');
    expect(deep.exitCode).toBe(1);
    expect(deep.stderr).toContain('has too many nested indexes');
    await put('empty', []);
    const empty = await pulled('empty');
    expect(empty.exitCode).toBe(1);
    expect(empty.stderr).toContain('it names no platforms');
  });

  test('is refused when it is an artifact, which does not break the list of images', async () => {
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const part = partFor(own);
    const answer = await fetch(url(`manifests/${part.digest}`), { headers: { accept: part.mediaType } });
    const image = (await answer.json()) as { config: Part; layers: Part[] };
    const chart = {
      schemaVersion: 2,
      mediaType: type,
      config: { ...image.config, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
      layers: image.layers.map((layer) => ({
        ...layer,
        mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      })),
    };
    const body = JSON.stringify(chart);
    await fetch(url('manifests/chart'), { method: 'PUT', body, headers: { 'content-type': type } });
    for (const { exitCode, stderr } of [await pulled('chart'), await built('chart')]) {
      expect(exitCode).toBe(1);
      expect(stderr).toContain('is not an image: its type is application/vnd.cncf.helm.config.v1+json');
    }
    const store = scratchDirectory('store');
    good(await runTbuild(['pull', '--all-platforms', `${name}:chart`], { store }));
    expect(good(await runTbuild(['images'], { store })).stdout).toContain('chart');
  });
});
