import { copyImage, createMemoryStore, fromBytes, type ContentStore } from '@tbuild/content';
import { MediaType, parseReference, type Descriptor } from '@tbuild/oci';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFaultProxy, type Fault, type FaultProxy } from '../../../test/support/fault-proxy.ts';
import { startRegistry, type Registry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { startTokenRegistry, tokenUser } from '../../../test/support/token-registry.ts';
import { listen } from '../../../test/support/web-server.ts';
import { createFastClock, createTestClient } from '../test/client.ts';

const MiB = 1024 * 1024;
const SIZE = 3 * MiB + 12_345;
let registry: Registry;
let proxy: FaultProxy;
let store: ContentStore;
let layer: Descriptor;
let count = 0;

describe('an upload to a registry', needs('registry'), () => {
  beforeAll(async () => {
    registry = await startRegistry();
    store = createMemoryStore();
    const bytes = Buffer.alloc(SIZE, 'the bytes of a layer ');
    layer = { mediaType: MediaType.layer, ...(await store.write(fromBytes(bytes))) };
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await startFaultProxy(registry.host);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  /** Pushes the layer and returns the delays. */
  const push = async (): Promise<readonly number[]> => {
    const clock = createFastClock();
    const name = `test/u${(count += 1)}`;
    await using client = createTestClient({ clock });
    const repository = client.openRepository(parseReference(`${proxy.host}/${name}`));
    await copyImage(layer, { from: store, to: repository });
    await using direct = createTestClient();
    const stored = direct.openRepository(parseReference(`${registry.host}/${name}`));
    await copyImage(layer, { from: stored, to: createMemoryStore() });
    return clock.slept;
  };
  const ranges = () => proxy.seen.flatMap(({ headers }) => headers['content-range'] ?? []);
  const startsOf = (lines: string) => proxy.seen.filter(({ line }) => line.startsWith(lines)).length;

  test('without faults is one request', async () => {
    await push();
    expect(ranges()).toEqual([]);
    expect(startsOf('PUT')).toBe(1);
  });

  test.each([false, true])('that is too large for a proxy is sent in pieces (connection closed: %s)', async (close) => {
    proxy.decide = (_line, _before, headers) =>
      Number(headers['content-length'] ?? 0) > MiB ? { kind: 'answer', status: 413, close } : undefined;
    await push();
    expect(ranges()).toEqual(['0-1048575', '1048576-2097151', '2097152-3145727', `3145728-${SIZE - 1}`]);
    expect(startsOf('POST')).toBe(1);
  });

  test('that is too large even in the smallest pieces is reported', async () => {
    proxy.decide = (_line, _before, headers) =>
      Number(headers['content-length'] ?? 0) > 1000 ? { kind: 'answer', status: 413 } : undefined;
    await expect(push()).rejects.toMatchObject({
      code: 'REGISTRY',
      status: 413,
      message: expect.stringContaining('refuses a request of this size (413) for blob sha256:'),
      hint: expect.stringContaining('client_max_body_size'),
    });
    expect(startsOf('DELETE')).toBe(1);
  });

  /** Sends pieces of 1 MiB; the second one meets a fault once. */
  const disturbed = (fault: Fault): void => {
    let met = false;
    proxy.decide = (_line, _before, headers) => {
      if (Number(headers['content-length'] ?? 0) > MiB) return { kind: 'answer', status: 413 };
      if (met || !headers['content-range']?.startsWith('1048576-')) return undefined;
      met = true;
      return fault;
    };
  };

  test.each([
    ['a connection that breaks', { kind: 'lose-request' }, [250]],
    ['an answer that tells to wait', { kind: 'answer', status: 503, headers: { 'retry-after': '7' } }, [7000]],
    ['too many requests', { kind: 'answer', status: 429, headers: { 'retry-after': '2' } }, [2000]],
    ['a token that has ended', { kind: 'answer', status: 401 }, []],
  ] as const)('goes on after %s from what the registry has', async (_, fault, slept) => {
    disturbed(fault);
    expect(await push()).toEqual(slept);
    const sent = ranges();
    expect(sent.indexOf('0-1048575')).toBe(sent.lastIndexOf('0-1048575'));
    expect(sent.filter((range) => range.startsWith('1048576-'))).toHaveLength(2);
    expect(startsOf('POST')).toBe(1);
  });

  test.each([
    ['a piece came in part', { kind: 'cut-request', after: 400_000 }],
    ['a piece came, and its answer was lost', { kind: 'lose-answer' }],
    ['the registry forgot it', { kind: 'answer', status: 404 }],
    ['the registry stands elsewhere', { kind: 'answer', status: 416 }],
  ] as const)('ends well when %s', async (_, fault) => {
    disturbed(fault);
    await push();
  });

  test.each([
    ['has ever more bytes than there are', 100 * MiB],
    ['has a byte more each time', 1],
  ])('fails when the registry refuses it and says that it %s', async (_, step) => {
    let [position, requests] = [0, 0];
    proxy.decide = (line) => {
      if ((requests += 1) > 200) return { kind: 'answer', status: 400 };
      if (line.startsWith('PUT ')) return { kind: 'answer', status: 416 };
      if (!line.startsWith('GET ') || !line.includes('/uploads/')) return undefined;
      return { kind: 'answer', status: 204, headers: { range: `0-${(position += step)}` } };
    };
    await expect(push()).rejects.toMatchObject({ code: 'REGISTRY', status: 416 });
    expect(startsOf('PUT')).toBeLessThan(10);
  });

  test('starts over after a reset without progress', async () => {
    let isReset = false;
    proxy.decide = (line) => {
      if (!line.startsWith('PUT') || isReset) return undefined;
      isReset = true;
      return { kind: 'reset' };
    };
    expect(await push()).toEqual([250]);
  });

  test('is sent whole again if the registry accepts no pieces', async () => {
    let refused = 0;
    proxy.decide = (line) => {
      if (line.startsWith('PATCH')) return { kind: 'answer', status: 405 };
      if (!line.startsWith('PUT') || refused === 3) return undefined;
      refused += 1;
      return { kind: 'answer', status: 413 };
    };
    await push();
    expect(startsOf('PATCH')).toBe(1);
    expect(startsOf('PUT')).toBe(4);
  });

  test('whose last answer is lost counts as complete', async () => {
    proxy.decide = (line, before) => (line.startsWith('PUT') && before === 0 ? { kind: 'lose-answer' } : undefined);
    await push();
    expect(startsOf('PUT')).toBe(1);
  });

  test('uses the minimum size of pieces that the registry states', async () => {
    proxy.decide = (line, _before, headers) => {
      if (line.startsWith('POST')) return { kind: 'headers', headers: { 'oci-chunk-min-length': String(2 * MiB) } };
      return Number(headers['content-length'] ?? 0) > 2 * MiB ? { kind: 'answer', status: 413 } : undefined;
    };
    await push();
    expect(ranges()).toEqual([`0-${2 * MiB - 1}`, `${2 * MiB}-${SIZE - 1}`]);
  });

  test('without progress fails after several attempts', async () => {
    proxy.decide = (line) => (/^(PUT|PATCH)/.test(line) ? { kind: 'cut-request', after: 1000 } : undefined);
    await expect(push()).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining('broke the connection'),
    });
    expect(proxy.seen.length).toBeLessThan(25);
  });

  test('follows the registry to another host without credentials', async () => {
    const seen: { method?: string; authorization?: string; bytes: number }[] = [];
    await using storage = await listen(async (request, response) => {
      let bytes = 0;
      for await (const chunk of request) bytes += (chunk as Buffer).length;
      seen.push({ method: request.method, authorization: request.headers.authorization, bytes });
      response.writeHead(201).end();
    });
    proxy.decide = (line, _before, headers): Fault | undefined => {
      if (headers.authorization === undefined && line !== 'GET /v2/')
        return { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
      if (line.startsWith('HEAD')) return { kind: 'answer', status: 404 };
      const location = `${storage.url}/bucket/upload?signature=x`;
      return line.startsWith('POST') ? { kind: 'answer', status: 202, headers: { location } } : undefined;
    };
    await using client = createTestClient({
      credentials: async () => ({ kind: 'password', username: 'a', password: 'b' }),
    });
    await copyImage(layer, { from: store, to: client.openRepository(parseReference(`${proxy.host}/app`)) });
    expect(seen).toEqual([{ method: 'PUT', authorization: undefined, bytes: SIZE }]);
    expect(proxy.seen.at(-1)?.headers.authorization).toMatch(/^Basic /);
  });

  test('that is denied is reported at once', async () => {
    const body = '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}';
    proxy.decide = (line) => (line.startsWith('POST') ? { kind: 'answer', status: 404, body } : undefined);
    await expect(push()).rejects.toMatchObject({ status: 404, codes: ['NAME_UNKNOWN'] });
    expect(startsOf('POST')).toBe(1);
  });

  test('gets a new token for a piece after the old one expires', async () => {
    await using tokens = await startTokenRegistry();
    await using between = await startFaultProxy(tokens.host);
    const challenge = (await fetch(`http://${tokens.host}/v2/`)).headers.get('www-authenticate') ?? '';
    const ended = new Set<string>();
    between.decide = (_line, _before, headers) => {
      if (Number(headers['content-length'] ?? 0) > MiB) return { kind: 'answer', status: 413 };
      const range = headers['content-range'];
      if (range === undefined || ended.has(range)) return undefined;
      // Every piece is sent with an expired token.
      ended.add(range);
      return { kind: 'answer', status: 401, headers: { 'www-authenticate': challenge } };
    };
    await using client = createTestClient({ credentials: async () => ({ kind: 'password', ...tokenUser }) });
    const repository = client.openRepository(parseReference(`${between.host}/private/app`), 'push');
    await copyImage(layer, { from: store, to: repository });
    expect(ended.size).toBe(4);
    expect(tokens.queries.length).toBeGreaterThanOrEqual(5);
    expect(await repository.has({ digest: layer.digest, mediaType: layer.mediaType })).toBe(true);
  });
});
