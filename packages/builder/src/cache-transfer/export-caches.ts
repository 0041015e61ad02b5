import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeCache,
  encodeInlineCache,
  writeCache,
  type CachedMount,
  type CachedStep,
  type EncodedCache,
  type ExplanationNote,
} from '@tbuild/cache';
import type { Provider } from '@tbuild/content';
import type { Plan } from '@tbuild/frontend';
import type { StepId } from '@tbuild/graph';
import { compressLayer, createLayerVariants, type RemoteLayers } from '@tbuild/layers';
import { parseReference, type Descriptor, type Image, type Layer, type Reference } from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';
import type { Assembly } from '../assemble/assemble-image.ts';
import type { BuildEnvironment } from '../build-run.ts';
import { directoryKey } from '../ops/run/cache-mount.ts';
import type { CacheExportOptions, CacheExportSpec } from '../request.ts';
import { track } from '../track.ts';
import { writeCacheLayout } from './write-cache-layout.ts';

interface Environment extends BuildEnvironment {
  readonly layers: RemoteLayers;
}

/**
 * Exports the cache to the destinations of `--cache-to`, after all other exports. Sends only what the destination
 * lacks.
 * @throws TbuildError if a destination fails, unless its errors are ignored.
 */
export async function exportCaches(assembly: Assembly, plans: readonly Plan[], env: Environment): Promise<void> {
  for (const spec of env.request.cacheTo) {
    if (spec.type === 'inline') continue;
    try {
      const place = spec.type === 'registry' ? 'registry' : 'client directory';
      await track(env, `exporting cache to ${place}`, (report) => exportCache(spec, { assembly, plans, report, env }));
    } catch (error) {
      if (!spec.ignoreError || env.signal.aborted) throw error;
      const message = error instanceof Error ? error.message : String(error);
      env.progress.emit({ type: 'warning', message: `The cache was not exported: ${message}` });
    }
  }
}

/** Returns the image with the records of its own steps in its configuration. */
export async function withInlineCache(image: Image, plan: Plan, assembly: Assembly): Promise<Image> {
  const steps = await collectSteps(assembly, ownSteps([plan], assembly));
  return { ...image, inlineCache: encodeInlineCache({ steps, mounts: [] }) };
}

type StoredCacheSpec = Exclude<CacheExportSpec, { type: 'inline' }>;

interface Export {
  readonly assembly: Assembly;
  readonly plans: readonly Plan[];
  readonly report: ReportTransfer;
  readonly env: Environment;
}

async function exportCache(spec: StoredCacheSpec, { assembly, plans, report, env }: Export): Promise<void> {
  const { signal } = env;
  const content = env.layers.provider;
  report('preparing build cache for export', 0);
  const steps = await collectSteps(assembly, spec.mode === 'max' ? undefined : ownSteps(plans, assembly));
  const mounts = spec.mounts ? await collectMounts(assembly, env) : [];
  const cache = encodeCache(
    {
      steps: await compressed(steps, spec, content, env),
      mounts: await compressed(mounts, spec, content, env),
    },
    await notesOf(assembly),
  );
  report('preparing build cache for export', 0, 0);
  const onProgress = reportWritten(report);
  if (spec.type === 'local') await writeCacheLayout(cache, content, spec, { signal, onProgress });
  else await pushCache(cache, content, parseReference(spec.reference), { ...env, onProgress });
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
function ownSteps(plans: readonly Plan[], { graph }: Assembly): ReadonlySet<StepId> {
  const shown = plans.flatMap(({ history }) => history.flatMap(({ step }) => (step === undefined ? [] : [step])));
  const linked = shown.flatMap((id) =>
    graph.steps.get(id)?.op.kind === 'stack' ? (graph.steps.get(id)?.sources ?? []) : [],
  );
  return new Set([...shown, ...linked]);
}

/**
 * Collects all steps, with the layers of those in `withLayer`. Copies from a stage are found by the records of its
 * steps. Base images are left out: their chain ID is known without the cache.
 */
async function collectSteps(
  { graph, solved, results, recordOf }: Assembly,
  withLayer?: ReadonlySet<StepId>,
): Promise<readonly CachedStep[]> {
  const steps: CachedStep[] = [];
  for (const { id, op } of graph.steps.values()) {
    const key = solved.get(id)?.key;
    const record = key === undefined ? undefined : recordOf(key);
    if (op.kind === 'image' || record === undefined) continue;
    const step = { record, contents: results.contentDigests(record.result) };
    const isCarried = (withLayer?.has(id) ?? true) && (await results.has(record.result));
    steps.push(isCarried ? { ...step, layer: layerOnly(await results.layer(record.result)) } : step);
  }
  return steps;
}

/** Returns the notes with which another machine explains a cache miss. */
function notesOf({ graph, solved, explanations }: Assembly): Promise<readonly ExplanationNote[]> {
  const steps = [...graph.steps.values()].flatMap((step) => {
    const key = solved.get(step.id)?.key;
    return key === undefined ? [] : [[step, key] as const];
  });
  return explanations.notesOf(steps);
}

function layerOnly({ descriptor, diffId }: Layer): Layer {
  return { descriptor, diffId };
}

/** Packs the current directories of the cache mounts that the steps use. */
async function collectMounts(
  { graph }: Assembly,
  { services: { store, differ }, signal }: Environment,
): Promise<readonly CachedMount[]> {
  const names = [...graph.steps.values()].flatMap(({ op }) => {
    if (op.kind !== 'run') return [];
    return op.mounts.flatMap((mount) =>
      mount.type === 'cache' && mount.from === undefined ? [directoryKey(mount, {})] : [],
    );
  });
  const mounts: CachedMount[] = [];
  for (const name of new Set(names)) {
    const directory = join(store.cacheMount(name), '0');
    if (existsSync(directory)) mounts.push({ name, layer: await differ.pack(directory, [], signal) });
  }
  return mounts;
}

async function compressed<T extends { readonly layer?: Layer }>(
  parts: readonly T[],
  { compression, compressionLevel: level, forceCompression: force }: CacheExportOptions,
  from: Provider,
  { services, signal }: Environment,
): Promise<readonly T[]> {
  const store = { content: services.content, variants: createLayerVariants(services.store) };
  const done: T[] = [];
  for (const part of parts)
    done.push(
      part.layer === undefined
        ? part
        : { ...part, layer: await compressLayer(part.layer, { compression, level, force }, { from, store, signal }) },
    );
  return done;
}

type PushEnvironment = Environment & { onProgress(blob: Descriptor, bytes: number): void };

/** Pushes a cache. Layers that the image has already brought to this registry are mounted. */
async function pushCache(cache: EncodedCache, from: Provider, target: Reference, env: PushEnvironment): Promise<void> {
  const { services, request, signal, onProgress } = env;
  const repository = await services.openRepository(target, 'push');
  const isPushed = request.outputs.some((output) => output.type === 'image' && output.push);
  const names = isPushed ? request.tags.map(parseReference) : [];
  const near = names.filter((name) => name.registry === target.registry && name.repository !== target.repository);
  await writeCache(cache, from, repository, {
    signal,
    onProgress,
    trustManifests: true,
    async mount({ digest }) {
      for (const name of near) if (await repository.mount(digest, name.repository, signal)) return true;
      return false;
    },
    async writeManifest({ bytes, descriptor }) {
      await repository.pushManifest(bytes, descriptor.mediaType, target.tag ?? 'latest', signal);
    },
  });
}
