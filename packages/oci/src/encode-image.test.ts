import { expect, test } from 'vitest';
import { canonicalJson, chainId, digestOf, encodeImage, parseImageConfig, parseManifest, type Image } from './index.ts';

const layer = {
  diffId: digestOf('a'),
  descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('a'), size: 1 },
};

const image: Image = {
  platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
  config: {
    Labels: { b: '2', a: '1' },
    Env: ['PATH=/bin'],
    Cmd: ['sh'],
    User: '',
    Volumes: {},
    ArgsEscaped: true,
    WorkingDir: '/',
  },
  layers: [layer],
  history: [
    { created_by: 'RUN a', comment: 'c', created: '2026-01-01T00:00:00.000Z' },
    { created_by: 'ENV b', empty_layer: true },
  ],
  created: '2026-01-01T00:00:00.000Z',
};

test('a configuration has its keys in the order of Docker and no empty values', () => {
  expect(Buffer.from(encodeImage(image).config.bytes).toString()).toBe(
    '{"architecture":"arm","config":{"Env":["PATH=/bin"],"Cmd":["sh"],"ArgsEscaped":true,"WorkingDir":"/","Labels":{"a":"1","b":"2"}},' +
      '"created":"2026-01-01T00:00:00.000Z","history":[{"created":"2026-01-01T00:00:00.000Z","created_by":"RUN a","comment":"c"},' +
      `{"created_by":"ENV b","empty_layer":true}],"os":"linux","rootfs":{"type":"layers","diff_ids":["${digestOf('a')}"]},"variant":"v7"}`,
  );
});

test('an encoded image parses to the same image', () => {
  const { config, manifest } = encodeImage(image);
  expect(parseImageConfig(config.bytes)).toMatchObject({
    platform: image.platform,
    diffIds: [layer.diffId],
    history: image.history,
  });
  expect(parseManifest(manifest.bytes)).toMatchObject({ config: config.descriptor, layers: [layer.descriptor] });
});

test('an image is encoded with Docker media types on request', () => {
  const { manifest, layers } = encodeImage(image, 'docker');
  expect(manifest.descriptor.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
  expect(layers[0]?.descriptor.mediaType).toBe('application/vnd.docker.image.rootfs.diff.tar');
});

test('the chain ID of one layer is its diff ID, and each further layer is hashed onto it', () => {
  const [a, b] = [digestOf('a'), digestOf('b')];
  expect(chainId([])).toBeUndefined();
  expect(chainId([a])).toBe(a);
  expect(chainId([a, b])).toBe(digestOf(`${a} ${b}`));
});

test.each([
  [{ b: 1, a: [{ d: undefined, c: null }] }, '{"a":[{"c":null}],"b":1}'],
  ['ä"', '"ä\\""'],
  [[undefined, true], '[null,true]'],
])('canonical JSON of %j', (value, expected) => {
  expect(canonicalJson(value)).toBe(expected);
});

test.each([
  ['no JSON', '{', /not valid JSON/],
  ['schema 1', '{"schemaVersion":1,"fsLayers":[]}', /schema 1/],
  ['neither', '{"schemaVersion":2}', /neither an image manifest nor an index/],
  [
    'a short digest',
    '{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:1","size":1},"layers":[]}',
    /no valid media type, digest and size/,
  ],
  [
    'a negative size',
    `{"schemaVersion":2,"layers":[],"config":{"mediaType":"a","digest":"${digestOf('')}","size":-1}}`,
    /no valid media type/,
  ],
])('a manifest that is %s is refused', (_name, text, message) => {
  expect(() => parseManifest(Buffer.from(text))).toThrow(message);
});
