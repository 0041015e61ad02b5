import type { AttestedTrees } from '@tbuild/attest';
import { firstOf, type Provider } from '@tbuild/content';
import type { Exportable, Exported, ExportedImage, Exporter, ImageDigests } from '@tbuild/exporter';
import type { Graph } from '@tbuild/graph';
import type { RemoteLayers } from '@tbuild/layers';
import { encodeImage, encodeIndex, parseReference, type Descriptor, type Digest, type Reference } from '@tbuild/oci';
import type { Progress, ReportTransfer } from '@tbuild/progress';
import { baseLayers, imageProvider } from '@tbuild/sources';
import type { OutputSpec } from '@tbuild/spec';
import type { BuildRequest } from '../request.ts';
import type { Services } from '../services.ts';
import { track } from '../track.ts';
import { outputEpoch } from './output-epoch.ts';

interface Environment {
  readonly request: BuildRequest;
  readonly services: Services;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly outputs: readonly OpenOutput[];
  /** Layers of imported steps. */
  readonly layers: RemoteLayers;
  /** `SOURCE_DATE_EPOCH` in milliseconds, unless an output has its own. */
  readonly epoch?: number;
  /** As in {@link Exportable}. */
  readonly prepared: Promise<void>;
  now(): number;
}

/** The digests and destinations of exported images. */
export interface ExportedResult {
  /** Config digest of a single image, or digest of the index. */
  readonly id: Digest;
  /** One per image. */
  readonly digests: readonly ImageDigests[];
  /** The pushed manifest or index, or else the first that was made. */
  readonly manifest?: Descriptor;
  /** Full references given to the image. */
  readonly names: readonly string[];
  readonly destinations: readonly string[];
}

/** An output with its exporters, in the order in which they run. */
export interface OpenOutput {
  readonly spec: OutputSpec;
  readonly exporters: readonly Exporter[];
}

/**
 * Opens the outputs before anything is built.
 * @throws TbuildError for an output that cannot work.
 */
export async function openOutputs(
  { outputs }: Pick<BuildRequest, 'outputs'>,
  services: Pick<Services, 'createExporters'>,
): Promise<readonly OpenOutput[]> {
  return Promise.all(outputs.map(async (spec) => ({ spec, exporters: await services.createExporters(spec) })));
}

/** Exports the images to every output, one after the other, and returns their digests. */
export async function runExports(
  images: readonly ExportedImage[],
  graph: Graph,
  env: Environment,
): Promise<ExportedResult> {
  const { request, services, signal, epoch, prepared } = env;
  const sources = lazily(() => baseRepositories(graph, services));
  const common = {
    images,
    content: allContent(graph, env),
    sourcesOf: (blob: Digest) => [...(sources().get(blob) ?? []), env.layers.repositoryOf(blob) ?? []].flat(),
    prepared,
  };
  const destinations: string[] = [];
  const names = new Set<string>();
  let made: Exported | undefined;
  for (const [index, { spec: output, exporters }] of env.outputs.entries()) {
    const own = namesOf(output, request);
    const exportable: Exportable = { ...common, names: own.map(parseReference), epoch: outputEpoch(output, epoch) };
    for (const name of own) names.add(name);
    using trees = await treesOf(output, images, env);
    const carry = async (report: ReportTransfer): Promise<void> => {
      for (const exporter of exporters) {
        const exported = await exporter.export({ ...exportable, images: trees?.images ?? images }, report, signal);
        destinations.push(exported.destination);
        if (exported.manifest !== undefined && (made === undefined || pushes(output))) made = exported;
      }
    };
    // A single output is shown as one step, whatever its exporters. Several outputs are shown as one step each.
    const [first] = exporters;
    if (first !== undefined) await track({ ...env, step: `output ${index}` }, first.name, carry);
  }
  return { ...identity(images, made), names: [...names], destinations };
}

function namesOf(output: OutputSpec, { tags }: BuildRequest): readonly string[] {
  if (output.type === 'image' || output.type === 'docker' || output.type === 'oci') return output.names ?? tags;
  return [];
}

/** Adds attestations as files where the output is a tree. */
async function treesOf(
  output: OutputSpec,
  images: readonly ExportedImage[],
  { services, progress }: Environment,
): Promise<AttestedTrees | undefined> {
  const { type } = output;
  const isAttested = images.some(({ attestations = [] }) => attestations.length > 0);
  if (isAttested && type === 'docker')
    progress.emit({
      type: 'warning',
      message: 'Attestations are left out: images loaded into Docker cannot have them',
      detail: 'Use --push, -o type=oci or the store',
    });
  if ('mediaTypes' in output && output.mediaTypes === 'docker' && (isAttested || (output.annotations ?? []).length > 0))
    progress.emit({
      type: 'warning',
      message: `oci-mediatypes=false is ignored: ${isAttested ? 'attestations' : 'annotations'} need OCI media types`,
      detail: 'Docker media types do not support them',
    });
  if (!isAttested || (type !== 'local' && type !== 'tar')) return undefined;
  const { attestedTrees } = await import('@tbuild/attest');
  return attestedTrees(images, output, { directory: services.store.run, flavour: services.flavour });
}

function pushes(output: OutputSpec): boolean {
  return output.type === 'image' && output.push;
}

/** Returns the digests of the build: those of an exported image, or, if none was exported, those it would have. */
function identity(
  images: readonly ExportedImage[],
  made: Exported | undefined,
): Pick<ExportedResult, 'id' | 'digests' | 'manifest'> {
  const encoded = images.map(({ image }) => encodeImage(image));
  const digests = made?.images ?? encoded.map(({ config }) => ({ config: config.descriptor.digest }));
  const [only] = digests;
  if (only === undefined) throw new Error('Expected at least one image');
  if (digests.length === 1) return { id: only.config, digests, manifest: made?.manifest };
  const index = encodeIndex(
    encoded.map(({ manifest }, at) => ({ ...manifest.descriptor, platform: images[at]?.image.platform })),
  );
  return { id: (made?.manifest ?? index.descriptor).digest, digests, manifest: made?.manifest };
}

/** Reads blobs from the store, or fetches base layers that no step needed from the image's registry. */
function allContent(graph: Graph, { services, layers }: Environment): Provider {
  const bases = [...graph.steps.values()].flatMap(({ op }) =>
    op.kind === 'image' ? [lazyProvider(() => imageProvider(op.source, op.reference, services))] : [],
  );
  return firstOf([layers.provider, ...bases]);
}

function lazyProvider(open: () => Promise<Provider>): Provider {
  const get = lazily(open);
  return {
    has: async (...asked) => (await get()).has(...asked),
    read: async (target, signal) => (await get()).read(target, signal),
  };
}

/** Returns the repositories of the base images' layers. */
function baseRepositories(graph: Graph, services: Services): ReadonlyMap<Digest, readonly Reference[]> {
  const found = new Map<Digest, readonly Reference[]>();
  for (const { op } of graph.steps.values()) {
    if (op.kind !== 'image' || op.source.kind !== 'registry') continue;
    const reference = parseReference(op.reference);
    for (const { descriptor } of baseLayers(op, services))
      found.set(descriptor.digest, [...(found.get(descriptor.digest) ?? []), reference]);
  }
  return found;
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
