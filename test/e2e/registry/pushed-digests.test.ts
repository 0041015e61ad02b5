import { describe, expect, test } from 'vitest';
import { imagesOf } from '../../support/layout.ts';
import { skopeo } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildGood, good, runTbuild } from '../../support/tbuild.ts';
import { problemsOf } from '../../support/validate-image.ts';

const files = { Dockerfile: 'FROM busybox\nCOPY text /text\n', text: 'text\n' };

const ways: readonly { readonly way: string; readonly several: boolean; readonly atOnce: boolean }[] = [
  { way: 'tbuild --push', several: false, atOnce: true },
  { way: 'tbuild push', several: false, atOnce: false },
  { way: 'tbuild --push of several platforms', several: true, atOnce: true },
  { way: 'tbuild push of several platforms', several: true, atOnce: false },
];

describe.each(ways)('after $way', needs('registry'), ({ way, several, atOnce }) => {
  test('inspect and images report the digest in the registry', async () => {
    const store = scratchDirectory('store');
    const tbuild = async (...args: string[]) => good(await runTbuild(args, { store })).stdout;
    const repository = `${await sharedService('registry')}/pushed-digests/${way.replaceAll(/\W+/g, '-')}`;
    const name = `${repository}:1`;
    const platforms = several ? ['--platform', 'linux/amd64,linux/arm64'] : [];
    const context = several ? { Dockerfile: 'FROM scratch\nCOPY text /text\n', text: 'text\n' } : files;
    await buildGood(context, { store, args: ['-t', name, ...platforms, ...(atOnce ? ['--push'] : [])] });
    await tbuild('tag', name, 'local:1');
    if (!atOnce) await tbuild('push', name);

    const raw = JSON.parse(await skopeo(['inspect', '--tls-verify=false', `docker://${name}`]));
    const [image] = JSON.parse(await tbuild('inspect', name));
    expect(image.Descriptor.digest).toBe(raw.Digest);
    expect(image.RepoDigests).toContain(`${repository}@${raw.Digest}`);
    expect(image.RepoTags.toSorted()).toEqual([name, 'local:1'].toSorted());
    expect(await tbuild('images', '--digests', '--format', '{{.Digest}}', repository)).toBe(`${raw.Digest}\n`);
    // A later push from the same store has that digest too.
    await tbuild('tag', name, `${repository}:2`);
    expect(await tbuild('push', '-q', `${repository}:2`)).toBe(`${raw.Digest}\n`);
    expect(imagesOf(store).flatMap(problemsOf)).toEqual([]);
  });
});
