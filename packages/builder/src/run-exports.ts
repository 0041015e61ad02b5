import type { Exportable, ExportedImage } from '@tbuild/exporter';
import type { Graph } from '@tbuild/graph';
import { encodeImage, encodeIndex, parseReference, type Digest } from '@tbuild/oci';
import type { Provider } from '@tbuild/content';
import type { Progress } from '@tbuild/progress';
import { imageProvider } from './base-image.ts';
import type { BuildRequest } from './request.ts';
import { firstOf } from './storing.ts';
import { track } from './track.ts';
import type { Worker } from './worker.ts';

interface Environment {
  readonly request: BuildRequest;
  readonly worker: Worker;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  now(): number;
}

/** Carries the images to every output, one after the other, and says what they are known by. */
export async function runExports(
  images: readonly ExportedImage[],
  graph: Graph,
  env: Environment,
): Promise<{ readonly id: Digest; readonly manifest?: Digest; readonly destinations: readonly string[] }> {
  const { request, worker, signal } = env;
  const content = allContent(graph, worker);
  const exportable: Exportable = { images, content, names: request.tags.map(parseReference) };
  const destinations: string[] = [];
  let manifest: Digest | undefined;
  for (const output of request.outputs) {
    for (const exporter of await worker.createExporters(output)) {
      const exported = await track(env, exporter.name, (report) => exporter.export(exportable, report, signal));
      destinations.push(exported.destination);
      manifest ??= exported.manifest;
    }
  }
  return { id: imageId(images), manifest, destinations };
}

/** The store first; blobs of base layers that no step needed are fetched from where the image is. */
function allContent(graph: Graph, worker: Worker): Provider {
  const bases = [...graph.steps.values()].flatMap(({ op }) => (op.kind === 'image' ? [lazily(() => imageProvider(op.source, op.reference, worker))] : []));
  return firstOf([worker.content, ...bases]);
}

function lazily(open: () => Promise<Provider>): Provider {
  let opened: Promise<Provider> | undefined;
  const get = (): Promise<Provider> => (opened ??= open());
  return {
    has: async (digest) => (await get()).has(digest),
    read: async (target, signal) => (await get()).read(target, signal),
  };
}

function imageId(images: readonly ExportedImage[]): Digest {
  const encoded = images.map(({ image }) => encodeImage(image));
  const [only] = encoded;
  if (only === undefined) throw new Error('A build makes at least one image');
  if (encoded.length === 1) return only.config.descriptor.digest;
  return encodeIndex(encoded.map(({ manifest }, index) => ({ ...manifest.descriptor, platform: images[index]?.image.platform }))).descriptor.digest;
}
