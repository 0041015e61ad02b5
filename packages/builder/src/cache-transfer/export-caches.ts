import {
  encodeCache,
  encodeInlineCache,
  writeCache,
  type CachedMount,
  type CachedStep,
  type ExplanationNote,
} from '@tbuild/cache';
import type { LocalStore } from '@tbuild/content';
import type { Differ } from '@tbuild/diff';
import { messageOf } from '@tbuild/errors';
import type { Plan } from '@tbuild/frontend';
import type { Graph, StepId } from '@tbuild/graph';
import { compressLayer, createLayerVariants } from '@tbuild/layers';
import type { ObjectBlobs } from '@tbuild/object-store';
import {
  parseReference,
  type Descriptor,
  type Digest,
  type EncodedDocument,
  type Image,
  type Layer,
} from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';
import type { OverlayFlavour, Snapshotter } from '@tbuild/snapshot';
import type { StoreLayout } from '@tbuild/store';
import type { SolvedBuild } from '../assemble/assemble-image.ts';
import type { Underway } from '../build-run.ts';
import { holdIdleCacheDirectory } from '../ops/run/mounts/cache-directory.ts';
import { directoryKey } from '../ops/run/mounts/cache-mount.ts';
import type { BuildPlan } from '../plan/plan-build.ts';
import type { CacheExportOptions, CacheExportSpec } from '../request.ts';
import type { Services } from '../services.ts';
import { track } from '../track.ts';
import { cacheCompression } from './cache-consumers.ts';
import { collectOutlines } from './collect-outlines.ts';
import type { ImportedSteps } from './imported-steps.ts';
import { mountableIn, pushCache } from './push-cache.ts';
import { type CacheToWrite, writeCacheLayout, type WriteOptions } from './write-cache-layout.ts';

/** What exporting caches uses. */
export interface CacheExportPorts extends Pick<Services, 'openRepository' | 'openBucket'> {
  readonly store: Pick<StoreLayout, 'cacheMount' | 'variantsOf'>;
  readonly content: LocalStore;
  readonly differ: Differ;
  readonly snapshots: Snapshotter;
  readonly flavour: OverlayFlavour;
}

/** A build whose steps are to be exported. */
export interface BuildToCache extends SolvedBuild {
  readonly imported: Pick<ImportedSteps, 'layers' | 'outlineOf'>;
}

/** Resolves when the images are exported, and throws when they cannot be. */
interface AfterImages {
  readonly exported: Promise<void>;
}

/**
 * Exports the cache to the destinations of `--cache-to`. Sends only what the destination lacks. A registry gets what no
 * image has while images are exported, everything else comes after them.
 * @throws TbuildError if a destination fails, unless its errors are ignored.
 */
export async function exportCaches(
  build: BuildToCache,
  ports: CacheExportPorts & AfterImages,
  underway: Underway,
): Promise<void> {
  const { progress, signal } = underway;
  for (const spec of build.inputs.request.cacheTo) {
    if (spec.type === 'inline' || spec.type === 'unknown') continue;
    try {
      await track(underway, `exporting cache to ${PLACES[spec.type]}`, (report) =>
        exportCache(spec, build, { ...ports, report, signal }),
      );
    } catch (error) {
      if (!spec.ignoreError) throw error;
      // A failure of the images is told instead.
      await ports.exported;
      if (signal.aborted) throw error;
      progress.emit({ type: 'warning', message: `The cache was not exported: ${messageOf(error)}` });
    }
  }
}

/** Returns the image with the records of its own steps in its configuration. */
export async function withInlineCache(image: Image, plan: Plan, build: SolvedBuild): Promise<Image> {
  const steps = await collectSteps(build, ownSteps([plan], build.plan));
  return { ...image, inlineCache: encodeInlineCache({ steps, mounts: [] }) };
}

type StoredCacheSpec = Exclude<CacheExportSpec, { type: 'inline' | 'unknown' }>;

/** The places of caches, as the progress names them. */
const PLACES = { registry: 'registry', local: 'client directory', bucket: 'bucket' } as const;

interface Exporting extends CacheExportPorts, AfterImages {
  readonly report: ReportTransfer;
  readonly signal: AbortSignal;
}

async function exportCache(spec: StoredCacheSpec, build: BuildToCache, exporting: Exporting): Promise<void> {
  const { plan, inputs, imported } = build;
  const { store, content, exported, report, signal } = exporting;
  const from = imported.layers.provider;
  if (spec.type !== 'registry') await exported;
  report('preparing build cache for export', 0);
  // Layers that are still being compressed are not compressed again.
  await build.solved.prepared;
  const own = ownSteps(plan.plans, plan);
  const steps = await collectSteps(build, spec.mode === 'max' ? undefined : own);
  const mounts = spec.mounts && !inputs.request.fakeIds ? await collectMounts(plan, exporting) : [];
  const places = { from, store: { content, variants: createLayerVariants(store) }, signal };
  const ofImages = layersOf(own, steps, build);
  const compressedSteps = await compressed(steps, { ...spec, ofImages }, places);
  const cache = encodeCache(
    {
      steps: compressedSteps,
      mounts: await compressed(mounts, spec, places),
      outlines: await collectOutlines(build, own, exporting),
    },
    await notesOf(build),
  );
  report('preparing build cache for export', 0, 0);
  const onProgress = reportWritten(report);
  if (spec.type === 'local') await writeCacheLayout({ cache, from }, spec, { signal, onProgress });
  else if (spec.type === 'bucket') {
    const blobs = await exporting.openBucket(spec);
    await writeToBucket({ cache, from }, { ...spec, blobs }, { signal, onProgress });
  } else {
    const target = parseReference(spec.reference);
    const repository = await exporting.openRepository(target, 'push');
    const mountable = mountableIn(target, inputs.request);
    const digests = new Set(
      compressedSteps.flatMap(({ layer }) => (layer && ofImages.has(layer.diffId) ? [layer.descriptor.digest] : [])),
    );
    const others = { digests, ended: exported };
    await pushCache({ cache, from }, { repository, target, mountable, others }, { signal, onProgress });
  }
}

/** Reports blobs that are written. Blobs that the destination already has arrive as one report and are not shown. */
function reportWritten(report: ReportTransfer): (blob: Descriptor, bytes: number) => void {
  const begun = new Set<string>();
  return ({ digest, size }, bytes) => {
    if (bytes === size && !begun.has(digest)) return;
    begun.add(digest);
    report(`writing layer ${digest}`, bytes, size);
  };
}

/** Returns the steps whose layers the images contain, and for `--link` the steps that made these layers. */
function ownSteps(plans: readonly Plan[], { graph }: Pick<BuildPlan, 'graph'>): ReadonlySet<StepId> {
  const shown = plans.flatMap(({ history }) => history.flatMap(({ step }) => (step === undefined ? [] : [step])));
  const linked = shown.flatMap((id) =>
    graph.steps.get(id)?.op.kind === 'stack' ? (graph.steps.get(id)?.sources ?? []) : [],
  );
  return new Set([...shown, ...linked]);
}

/** Returns the uncompressed layers of some of the steps. */
function layersOf(
  ids: ReadonlySet<StepId>,
  steps: readonly CachedStep[],
  { solved }: SolvedBuild,
): ReadonlySet<Digest> {
  const keys = new Set([...ids].map((id) => solved.steps.get(id)?.key));
  return new Set(steps.flatMap(({ record, layer }) => (keys.has(record.key) && layer ? [layer.diffId] : [])));
}

/**
 * Collects all steps, with the layers of those in `withLayer`. Copies from a stage are found by the records of its
 * steps. Base images are left out: their chain ID is known without the cache.
 */
async function collectSteps(
  { inputs: { request }, plan: { graph }, solved: { steps: solved, results, recordOf } }: SolvedBuild,
  withLayer?: ReadonlySet<StepId>,
): Promise<readonly CachedStep[]> {
  const steps: CachedStep[] = [];
  const kept = request.fakeIds ? stepsAfterRun(graph) : new Set<StepId>();
  for (const { id, op } of graph.steps.values()) {
    const key = solved.get(id)?.key;
    const record = key === undefined ? undefined : recordOf(key);
    if (op.kind === 'image' || record === undefined || kept.has(id)) continue;
    const step = { record, contents: results.contentDigests(record.result) };
    const isCarried = (withLayer?.has(id) ?? true) && (await results.has(record.result));
    steps.push(isCarried ? { ...step, layer: layerOnly(await results.layer(record.result)) } : step);
  }
  return steps;
}

/** Returns the steps that run something, and those that depend on them. */
function stepsAfterRun({ steps }: Graph): ReadonlySet<StepId> {
  const found = new Set<StepId>();
  for (const { id, op, base, sources } of steps.values())
    if (op.kind === 'run' || [base, ...sources].some((input) => input !== undefined && found.has(input))) found.add(id);
  return found;
}

/** Returns the notes with which another machine explains a cache miss. */
function notesOf({
  plan: { graph },
  solved: { steps: solved, explanations },
}: SolvedBuild): Promise<readonly ExplanationNote[]> {
  const steps = [...graph.steps.values()].flatMap((step) => {
    const key = solved.get(step.id)?.key;
    return key === undefined ? [] : [[step, key] as const];
  });
  return explanations.notesOf(steps);
}

function layerOnly({ descriptor, diffId }: Layer): Layer {
  return { descriptor, diffId };
}

/** Packs the current directories of the cache mounts that the steps use, each while no step of another build writes to it. */
async function collectMounts(
  { graph }: BuildPlan,
  { store, differ, report, signal }: Pick<Exporting, 'store' | 'differ' | 'report' | 'signal'>,
): Promise<readonly CachedMount[]> {
  const ids = new Map<string, string>();
  for (const { op } of graph.steps.values())
    if (op.kind === 'run')
      for (const mount of op.mounts)
        if (mount.type === 'cache' && mount.from === undefined) ids.set(directoryKey(mount, {}), mount.id);
  const mounts: CachedMount[] = [];
  for (const [key, id] of ids) {
    const onWait = (): void => report(`waiting for cache mount ${JSON.stringify(id)}, which another step uses`, 0);
    using directory = await holdIdleCacheDirectory(store, { key, onWait }, signal);
    if (directory !== undefined) mounts.push({ name: key, layer: await differ.pack(directory.path, [], signal) });
  }
  return mounts;
}

async function compressed<T extends { readonly layer?: Layer }>(
  parts: readonly T[],
  { ofImages, ...options }: CacheExportOptions & { readonly ofImages?: ReadonlySet<Digest> },
  places: Parameters<typeof compressLayer>[2],
): Promise<readonly T[]> {
  const done: T[] = [];
  for (const part of parts) {
    const isOfImage = part.layer !== undefined && ofImages?.has(part.layer.diffId) === true;
    const wanted = cacheCompression(options, { isOfImage });
    done.push(part.layer === undefined ? part : { ...part, layer: await compressLayer(part.layer, wanted, places) });
  }
  return done;
}

/** Writes a cache to a bucket, under each of its names. */
async function writeToBucket(
  { cache, from }: CacheToWrite,
  { blobs, names, parallelism }: { blobs: ObjectBlobs; names: readonly string[]; parallelism?: number },
  options: WriteOptions,
): Promise<void> {
  const writeManifest = async (manifest: EncodedDocument): Promise<void> => {
    for (const name of names) await blobs.putDocument(name, manifest, options.signal);
  };
  await writeCache(cache, { from, to: blobs }, { ...options, concurrency: parallelism, writeManifest });
}
