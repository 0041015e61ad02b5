import type { AttestedTrees } from '@tbuild/attest';
import { lazily } from '@tbuild/concurrency';
import { firstOf, type Provider } from '@tbuild/content';
import { isAttested, type Exportable, type Exported, type ExportedImage, type ImageDigests } from '@tbuild/exporter';
import type { Graph } from '@tbuild/graph';
import type { RemoteLayers } from '@tbuild/layers';
import {
  goBool,
  encodeImage,
  encodeIndex,
  parseReference,
  type Descriptor,
  type Digest,
  type Reference,
} from '@tbuild/oci';
import type { Progress, ReportTransfer } from '@tbuild/progress';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { baseLayers, imageProvider, type ImageSources } from '@tbuild/sources';
import type { OutputSpec } from '@tbuild/spec';
import type { StoreLayout } from '@tbuild/store';
import type { AssembledBuild } from '../assemble/attested.ts';
import type { Underway } from '../build-run.ts';
import type { ImportedSteps } from '../cache-transfer/imported-steps.ts';
import type { BuildRequest } from '../request.ts';
import { track } from '../track.ts';
import { isForSuccess } from './export-failed.ts';
import type { OpenOutput } from './open-outputs.ts';
import { outputEpoch } from './output-epoch.ts';

/** A build whose images are to be exported. */
export interface BuildToExport extends AssembledBuild {
  readonly outputs: readonly OpenOutput[];
  readonly imported: Pick<ImportedSteps, 'layers' | 'outlineOf'>;
}

/** What exporting images uses. */
export interface ExportPorts extends Pick<ImageSources, 'content' | 'openRepository'> {
  readonly store: Pick<StoreLayout, 'run'>;
  readonly flavour: OverlayFlavour;
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

/** Exports the images to every output, one after the other, and returns their digests. */
export async function runExports(
  build: BuildToExport,
  ports: ExportPorts,
  underway: Underway,
): Promise<ExportedResult> {
  const { images, plan, outputs, imported, inputs, solved } = build;
  const { signal, progress, now } = underway;
  const sources = lazily(() => baseRepositories(plan.graph, ports));
  const common = {
    images,
    content: allContent(plan.graph, imported.layers, ports),
    sourcesOf: (blob: Digest) => [...(sources().get(blob) ?? []), imported.layers.repositoryOf(blob) ?? []].flat(),
    prepared: solved.prepared,
    isMultiPlatform: isMultiPlatform(inputs.request),
  };
  const destinations: string[] = [];
  const names = new Set<string>();
  let made: Exported | undefined;
  for (const [index, { spec: output, exporters }] of outputs.entries()) {
    if (!isForSuccess(output)) continue;
    const own = namesOf(output, inputs.request);
    const epoch = outputEpoch(output, inputs.epoch);
    const exportable: Exportable = { ...common, names: own.map(parseReference), epoch };
    for (const name of own) names.add(name);
    warnOfMediaTypes(output, images, progress);
    warnOfEarlyEpoch(output, epoch, progress);
    using trees = await treesOf(output, images, ports);
    const carry = async (report: ReportTransfer): Promise<void> => {
      for (const exporter of exporters) {
        const exported = await exporter.export({ ...exportable, images: trees?.images ?? images }, report, signal);
        destinations.push(exported.destination);
        if (exported.leftOut !== undefined) warnOfLoss(progress);
        if (exported.manifest !== undefined && (made === undefined || pushes(output))) made = exported;
      }
    };
    // A single output is shown as one step, whatever its exporters. Several outputs are shown as one step each.
    const [first] = exporters;
    if (first !== undefined) await track({ progress, now, step: `output ${index}` }, first.name, carry);
  }
  return { ...identity(images, made), names: [...names], destinations };
}

/** BuildKit's build argument asks for the form that several platforms have. */
function isMultiPlatform({ platforms, buildArgs }: BuildRequest): boolean {
  return platforms.length > 1 || goBool(buildArgs.BUILDKIT_MULTI_PLATFORM) === true;
}

function namesOf(output: OutputSpec, { tags }: BuildRequest): readonly string[] {
  if (output.type === 'image' || output.type === 'docker' || output.type === 'oci') return output.names ?? tags;
  return [];
}

function warnOfLoss(progress: Progress): void {
  progress.emit({
    type: 'warning',
    message: 'Attestations are left out: this destination has no place for them',
    detail: 'Use --push, -o type=oci, the store, or a Docker with the image store of containerd',
  });
}

/** Warns of an option that an output cannot honour. */
function warnOfMediaTypes(output: OutputSpec, images: readonly ExportedImage[], progress: Progress): void {
  const attested = isAttested(images);
  if ('mediaTypes' in output && output.mediaTypes === 'docker' && (attested || (output.annotations ?? []).length > 0))
    progress.emit({
      type: 'warning',
      message: `oci-mediatypes=false is ignored: ${attested ? 'attestations' : 'annotations'} need OCI media types`,
      detail: 'Docker media types do not support them',
    });
}

/** Archives have no room for such times. BuildKit leaves such layers alone too. */
function warnOfEarlyEpoch(output: OutputSpec, epoch: number | undefined, progress: Progress): void {
  if (epoch !== undefined && epoch < 0 && 'rewriteTimestamp' in output && output.rewriteTimestamp === true)
    progress.emit({
      type: 'warning',
      message: 'rewrite-timestamp leaves layers alone that have newer files, since SOURCE_DATE_EPOCH is before 1970',
      detail: 'Use a SOURCE_DATE_EPOCH of 0 or more',
    });
}

/** Adds attestations as files where the output is a tree. */
async function treesOf(
  output: OutputSpec,
  images: readonly ExportedImage[],
  { store, flavour }: ExportPorts,
): Promise<AttestedTrees | undefined> {
  if (!isAttested(images) || (output.type !== 'local' && output.type !== 'tar')) return undefined;
  const { attestedTrees } = await import('@tbuild/attest');
  return attestedTrees(images, output, { directory: store.run, flavour });
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
function allContent(
  graph: Graph,
  layers: RemoteLayers,
  images: Pick<ImageSources, 'content' | 'openRepository'>,
): Provider {
  const bases = [...graph.steps.values()].flatMap(({ op }) =>
    op.kind === 'image' ? [lazyProvider(() => imageProvider(op, images))] : [],
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
function baseRepositories(
  graph: Graph,
  images: Pick<ImageSources, 'content'>,
): ReadonlyMap<Digest, readonly Reference[]> {
  const found = new Map<Digest, readonly Reference[]>();
  for (const { op } of graph.steps.values()) {
    if (op.kind !== 'image' || op.source.kind !== 'registry') continue;
    const reference = parseReference(op.reference);
    for (const { descriptor } of baseLayers(op, images))
      found.set(descriptor.digest, [...(found.get(descriptor.digest) ?? []), reference]);
  }
  return found;
}
