import { expect, test } from 'vitest';
import {
  canonicalJson,
  chainId,
  digestOf,
  encodeImage,
  encodeIndex,
  parseImageConfig,
  parseManifest,
  type Image,
} from './index.ts';

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
    { created_by: 'RUN a && <b>', comment: 'c', created: '2026-01-01T00:00:00.000Z' },
    { created_by: 'ENV b', empty_layer: true },
  ],
  created: '2026-01-01T00:00:00.000Z',
};

const encoded = (changes: Partial<Image> = {}): string =>
  Buffer.from(encodeImage({ ...image, ...changes }).config.bytes).toString();

test('a configuration has the fields of BuildKit in its order', () => {
  expect(encoded()).toBe(
    '{"architecture":"arm","config":{"Env":["PATH=/bin"],"Cmd":["sh"],"WorkingDir":"/","Labels":{"a":"1","b":"2"},"ArgsEscaped":true},' +
      '"created":"2026-01-01T00:00:00Z","history":[{"created":"2026-01-01T00:00:00Z","created_by":"RUN a \\u0026\\u0026 \\u003cb\\u003e","comment":"c"},' +
      `{"created_by":"ENV b","empty_layer":true}],"os":"linux","rootfs":{"type":"layers","diff_ids":["${digestOf('a')}"]},"variant":"v7"}`,
  );
});

test.each<[what: string, changes: Partial<Image>, part: string]>([
  [
    'all fields of config',
    {
      config: {
        Shell: ['sh'],
        OnBuild: ['RUN <'],
        Healthcheck: { Retries: 3, Test: ['NONE'], Interval: 5_000_000_000, Timeout: 0 },
        ArgsEscaped: true,
        StopSignal: 'SIGINT',
        Labels: { 10: 'x', 9: '<' },
        WorkingDir: '/w/',
        Volumes: { '/b': {}, '/a': {} },
        Cmd: ['c'],
        Entrypoint: ['e'],
        Env: ['A=&'],
        ExposedPorts: { '80/tcp': {} },
        User: 'u',
      },
    },
    '"config":{"User":"u","ExposedPorts":{"80/tcp":{}},"Env":["A=\\u0026"],"Entrypoint":["e"],"Cmd":["c"],"Volumes":{"/a":{},"/b":{}},' +
      '"WorkingDir":"/w/","Labels":{"10":"x","9":"\\u003c"},"StopSignal":"SIGINT","ArgsEscaped":true,' +
      '"Healthcheck":{"Test":["NONE"],"Interval":5000000000,"Retries":3},"OnBuild":["RUN \\u003c"],"Shell":["sh"]},',
  ],
  [
    'no empty field, but an empty check',
    { config: { User: '', Env: [], Labels: {}, ArgsEscaped: false, Healthcheck: {} } },
    '"config":{"Healthcheck":{}},',
  ],
  [
    'fields that BuildKit knows, and no others',
    { config: Object.assign({ Cmd: ['a'] }, { Hostname: 'h', StopTimeout: 7 }), author: '<a>' },
    '"author":"\\u003ca\\u003e","config":{"Cmd":["a"]},',
  ],
  [
    'null for no layers and no history',
    { layers: [], history: [] },
    '"history":null,"os":"linux","rootfs":{"type":"layers","diff_ids":null}',
  ],
  [
    'a version and features of the system',
    { platform: { os: 'windows', architecture: 'amd64', 'os.version': '1', 'os.features': ['win32k'] } },
    '"os":"windows","os.features":["win32k"],"os.version":"1","rootfs"',
  ],
  [
    'all fields of an entry of the history',
    { history: [{ empty_layer: true, comment: '', author: 'a', created_by: 'x', created: '2017-07-14T02:40:00.50Z' }] },
    '"history":[{"created":"2017-07-14T02:40:00.5Z","created_by":"x","author":"a","empty_layer":true}]',
  ],
  ['an inline cache in its place', { inlineCache: 'YQ==' }, '"]},"tbuild.cache.v1":"YQ==","variant":"v7"}'],
])('a configuration has %s', (_, changes, part) => {
  expect(encoded(changes)).toContain(part);
});

test('a manifest is indented, and has its fields in the order of the specification', () => {
  const annotations = { b: '<', a: '1' };
  const { manifest, config } = encodeImage({
    ...image,
    annotations,
    layers: [{ ...layer, descriptor: { annotations, ...layer.descriptor } }],
  });
  const { digest, size } = config.descriptor;
  const shown = '{\n        "a": "1",\n        "b": "\\u003c"\n      }';
  expect(Buffer.from(manifest.bytes).toString()).toBe(`{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "${digest}",
    "size": ${size}
  },
  "layers": [
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar",
      "digest": "${digestOf('a')}",
      "size": 1,
      "annotations": ${shown}
    }
  ],
  "annotations": ${shown.replaceAll('\n    ', '\n')}
}`);
});

test('a manifest without layers has null instead, and is read', () => {
  const { bytes } = encodeImage({ ...image, layers: [] }).manifest;
  expect(Buffer.from(bytes).toString()).toContain('"layers": null');
  expect(parseManifest(bytes)).toMatchObject({ layers: [] });
});

test('layers with Docker media types have no annotations', () => {
  const annotated = { ...layer, descriptor: { ...layer.descriptor, annotations: { a: 'b' } } };
  const { manifest } = encodeImage({ ...image, layers: [annotated] }, 'docker');
  expect(Buffer.from(manifest.bytes).toString()).not.toContain('annotations');
});

test('the entries of an index have annotations before the platform', () => {
  const platform = { os: 'linux', variant: 'v7', architecture: 'arm' };
  const { bytes } = encodeIndex([
    { platform, annotations: { a: 'b' }, mediaType: 'm', digest: digestOf('a'), size: 1 },
  ]);
  expect(Buffer.from(bytes).toString()).toContain(
    '"annotations": {\n        "a": "b"\n      },\n      "platform": {\n        "architecture": "arm",\n        "os": "linux",\n        "variant": "v7"\n',
  );
});

test('an encoded image parses to the same image', () => {
  const { config, manifest } = encodeImage(image);
  expect(parseImageConfig(config.bytes)).toMatchObject({
    platform: image.platform,
    diffIds: [layer.diffId],
    history: [{ created_by: 'RUN a && <b>', created: '2026-01-01T00:00:00Z' }, image.history[1]],
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
  [
    'annotated with a number',
    `{"manifests":[{"mediaType":"a","digest":"${digestOf('')}","size":1,"annotations":{"b":1}}]}`,
    /Annotation "b" is 1, expected a text/,
  ],
  ['annotated with a text', '{"manifests":[],"annotations":"a"}', /Annotations are "a", expected a JSON object/],
])('a manifest that is %s is refused', (_name, text, message) => {
  expect(() => parseManifest(Buffer.from(text))).toThrow(message);
});
