import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildContext, good, writeFiles, type InlineBuild } from '../../support/tbuild.ts';

const DOCKERFILE = `FROM busybox AS build
COPY src /src
RUN cat /src/* > /out
FROM busybox
WORKDIR /w
RUN mkdir -p /usr/lib/x && echo hello > /usr/lib/x/hello
COPY --from=build /out /out
COPY --link b /usr/lib/x/b
RUN cat /out > /id
`;
const context = writeFiles({ Dockerfile: DOCKERFILE, 'src/1': '1\n', 'src/2': '2\n', b: 'b\n' });
const honest = join(scratchDirectory('cache'), 'honest');
let expected: InlineBuild;

beforeAll(async () => {
  const args = ['--cache-to', `type=local,dest=${honest},mode=max`];
  expected = good(await buildContext(context, { store: scratchDirectory('store'), args }));
});

interface Step {
  result: string;
  parent?: string;
  createdAt: unknown;
  layer?: number;
  contents?: Record<string, string>;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** A cache as an attacker edits it. */
interface Cache {
  readonly steps: Step[];
  readonly diffIds: string[];
  layers: Descriptor[];
  /** Stores bytes; returns their digest and size. */
  put(bytes: Buffer): Pick<Descriptor, 'digest' | 'size'>;
}

/** Changes the honest cache and corrects all digests. */
function cacheThat(lie: (cache: Cache) => void): string {
  const directory = join(scratchDirectory('cache'), 'lying');
  cpSync(honest, directory, { recursive: true });
  const pathOf = (digest: string) => join(directory, 'blobs', digest.replace(':', '/'));
  const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
  const put = (bytes: Buffer) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    writeFileSync(pathOf(digest), bytes);
    return { digest, size: bytes.length };
  };
  const index = read(join(directory, 'index.json'));
  const [root] = index.manifests;
  const manifest = read(pathOf(root.digest));
  const document = read(pathOf(manifest.config.digest));
  const cache: Cache = { ...document, layers: manifest.layers, put };
  lie(cache);
  manifest.layers = cache.layers;
  Object.assign(manifest.config, put(Buffer.from(JSON.stringify(document))));
  Object.assign(root, put(Buffer.from(JSON.stringify(manifest))));
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  return directory;
}

const OTHER = `sha256:${'ab'.repeat(32)}`;
const isLayer = ({ mediaType }: Descriptor) => mediaType.includes('.layer.');

const lies: readonly (readonly [name: string, lie: (cache: Cache) => void])[] = [
  ['each result stands on itself', ({ steps }) => steps.forEach((step) => (step.parent = step.result))],
  [
    'results depend on each other in a cycle',
    ({ steps }) => steps.forEach((step, at) => (step.parent = steps[(at + 1) % steps.length]?.result)),
  ],
  ['all results stand on one base', ({ steps }) => steps.forEach((step) => (step.parent = steps[0]?.parent))],
  ['results stand on nothing', ({ steps }) => steps.forEach((step) => delete step.parent)],
  ['each step gave what it stands on', ({ steps }) => steps.forEach((step) => (step.result = step.parent ?? OTHER))],
  ['all steps gave the same', ({ steps }) => steps.forEach((step) => (step.result = OTHER))],
  ['layers are archives of other digests', ({ diffIds }) => void diffIds.push(diffIds.shift() ?? '')],
  [
    'a layer is not an archive',
    ({ layers, put }) => layers.filter(isLayer).forEach((layer) => Object.assign(layer, put(Buffer.from('garbage')))),
  ],
  [
    'a layer has another content',
    ({ layers, put }) =>
      layers.filter(isLayer).forEach((layer) => Object.assign(layer, put(gzipSync(Buffer.alloc(10_240))))),
  ],
  [
    'layers have another compression',
    ({ layers }) =>
      layers.filter(isLayer).forEach((layer) => (layer.mediaType = layer.mediaType.replace('gzip', 'zstd'))),
  ],
  [
    'layers are of an unknown type',
    ({ layers }) => layers.filter(isLayer).forEach((layer) => (layer.mediaType = 'text/plain')),
  ],
  ['layers have other sizes', ({ layers }) => layers.filter(isLayer).forEach((layer) => layer.size++)],
  ['there are records and no layers', (cache) => (cache.layers = [])],
  ['steps were made when no date is', ({ steps }) => steps.forEach((step) => (step.createdAt = 1e300))],
  [
    'parts of stages have other digests',
    ({ steps }) =>
      steps.forEach(({ contents = {} }) => Object.keys(contents).forEach((name) => (contents[name] = OTHER))),
  ],
];

describe.concurrent('a cache that says', () => {
  test.each(lies)('%s does no harm', async (_what, lie) => {
    const store = scratchDirectory('store');
    const args = ['--cache-from', `type=local,src=${cacheThat(lie)}`];
    const imported = good(await buildContext(context, { store, args }));
    expect(imported.tree().entries).toEqual(expected.tree().entries);
    // The store recorded nothing wrong either.
    const next = good(await buildContext(context, { store }));
    expect(next.tree().entries).toEqual(expected.tree().entries);
  });
});

test('an honest cache provides every step', async () => {
  const args = ['--cache-from', `type=local,src=${cacheThat(() => {})}`];
  const build = good(await buildContext(context, { store: scratchDirectory('store'), args }));
  expect(build.id()).toBe(expected.id());
});
