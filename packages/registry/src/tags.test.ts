import { copyImage, readWhole, type ContentStore } from '@tbuild/content';
import { parseReference, type Descriptor } from '@tbuild/oci';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../../../test/support/fault-proxy.ts';
import { startRegistry, type Registry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { createTestClient, makeImage } from '../test/client.ts';
import type { Repository } from './index.ts';

describe('an immutable tag', needs('registry'), () => {
  let registry: Registry;
  let proxy: FaultProxy;
  let repository: Repository;
  let [first, second]: { store: ContentStore; index: Descriptor }[] = [];
  const client = createTestClient();

  beforeAll(async () => {
    registry = await startRegistry();
    proxy = await startFaultProxy(registry.host);
    [first, second] = [await makeImage(100), await makeImage(200)];
    repository = client.openRepository(parseReference(`${proxy.host}/app`));
    for (const { store, index } of [first, second]) await copyImage(index, { from: store, to: repository });
    await repository.tag(first.index, 'v1');
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  const refusing = (status: number, code: string, message: string): void => {
    const body = JSON.stringify({ errors: [{ code, message }] });
    proxy.decide = (line) => (/^PUT .*\/manifests\/v\d$/.test(line) ? { kind: 'answer', status, body } : undefined);
  };
  const put = async (image: typeof first, tag: string): Promise<Descriptor> => {
    if (image === undefined) throw new Error('There is no image');
    return repository.pushManifest(
      { bytes: await readWhole(image.store, image.index), mediaType: image.index.mediaType },
      tag,
    );
  };

  const refusals: [who: string, status: number, code: string, message: string][] = [
    ['Harbor', 412, 'PRECONDITION', "Failed to process request due to 'app:v1' configured as immutable."],
    [
      'ECR',
      400,
      'TAG_INVALID',
      "The image tag 'v1' already exists and cannot be overwritten because the tag is immutable.",
    ],
    ['Artifactory', 403, 'DENIED', 'Not enough permissions to overwrite artifact'],
    ['Nexus', 400, 'UNKNOWN', 'Repository does not allow updating assets: hosted'],
    ['another', 409, 'TAG_IMMUTABLE', 'tag is immutable'],
  ];

  test.each(refusals)('that already points to the image is a success (%s)', async (_, ...refusal) => {
    refusing(...refusal);
    expect(await put(first, 'v1')).toEqual(first?.index);
  });

  test.each(refusals)(
    'that points to another image is reported with its digest (%s)',
    async (_, status, code, message) => {
      refusing(status, code, message);
      await expect(put(second, 'v1')).rejects.toMatchObject({
        code: 'REGISTRY',
        status,
        message: `Tag ${proxy.host}/app:v1 is immutable and points to ${first?.index.digest} (${status} ${code})`,
        hint: `Push ${second?.index.digest} under another tag`,
      });
    },
  );

  test.each([
    ['a new tag', 'v9', 409, 'TAG_IMMUTABLE', 'tag is immutable'],
    ['no permission', 'v1', 403, 'DENIED', 'requested access to the resource is denied'],
    ['a manifest that is not valid', 'v1', 400, 'MANIFEST_INVALID', 'manifest invalid'],
  ])('is not what %s means', async (_, tag, status, code, message) => {
    refusing(status, code, message);
    await expect(put(first, tag)).rejects.toMatchObject({ status, codes: [code], said: [message] });
  });
});

describe('removing a tag', needs('registry'), () => {
  const client = createTestClient();
  afterAll(() => client[Symbol.asyncDispose]());

  /** Pushes an image under two tags. */
  async function pushed(host: string): Promise<Repository> {
    const { store, index } = await makeImage();
    const repository = client.openRepository(parseReference(`${host}/app`), 'delete');
    await copyImage(index, { from: store, to: repository });
    for (const tag of ['mr-1', 'latest']) await repository.tag(index, tag);
    return repository;
  }

  test('leaves the image that another tag names, in a registry that deletes by digest only', async () => {
    await using registry = await startRegistry();
    const repository = await pushed(registry.host);
    await repository.untag('mr-1');
    expect(await repository.tags()).toEqual(['latest']);
    await expect(repository.resolve('latest')).resolves.toBeDefined();
    await expect(repository.untag('mr-1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('is one request to a registry that deletes by tag', async () => {
    await using registry = await startRegistry();
    await using proxy = await startFaultProxy(registry.host);
    const repository = await pushed(proxy.host);
    proxy.decide = (line) => (line.startsWith('DELETE ') ? { kind: 'answer', status: 202 } : undefined);
    const before = proxy.seen.length;
    await repository.untag('mr-1');
    expect(proxy.seen.slice(before).map(({ line }) => line)).toEqual(['DELETE /v2/app/manifests/mr-1']);
  });

  test('changes nothing in a registry that refuses to delete', async () => {
    await using registry = await startRegistry({ keeps: true });
    const repository = await pushed(registry.host);
    const { digest } = await repository.resolve('mr-1');
    await expect(repository.untag('mr-1')).rejects.toMatchObject({ status: 405, codes: ['UNSUPPORTED'] });
    await expect(repository.resolve('mr-1')).resolves.toMatchObject({ digest });
  });
});

test('the tags of a repository come in pages', needs('registry'), async () => {
  await using registry = await startRegistry();
  await using proxy = await startFaultProxy(registry.host);
  await using client = createTestClient();
  const repository = client.openRepository(parseReference(`${proxy.host}/app`));
  const link = '</v2/app/tags/list?last=b&n=2>; rel="next"';
  proxy.decide = (line) =>
    line.endsWith('?n=1000')
      ? { kind: 'answer', status: 200, headers: { link }, body: '{"name":"app","tags":["a","b"]}' }
      : line.endsWith('?last=b&n=2')
        ? { kind: 'answer', status: 200, body: '{"name":"app","tags":["c"]}' }
        : undefined;
  expect(await repository.tags()).toEqual(['a', 'b', 'c']);
});

test(
  'a list of very many tags is read, and one whose next page is no address is refused',
  needs('registry'),
  async () => {
    await using registry = await startRegistry();
    await using proxy = await startFaultProxy(registry.host);
    await using client = createTestClient();
    const repository = client.openRepository(parseReference(`${proxy.host}/app`));
    const answer = (headers: Record<string, string>, tags: readonly string[]) => () =>
      ({ kind: 'answer', status: 200, headers, body: JSON.stringify({ tags }) }) as const;
    proxy.decide = answer(
      {},
      Array.from({ length: 300_000 }, () => 'a'),
    );
    expect(await repository.tags()).toHaveLength(300_000);
    proxy.decide = answer({ link: '<http://[>; rel="next"' }, []);
    await expect(repository.tags()).rejects.toMatchObject({ code: 'REGISTRY' });
  },
);
