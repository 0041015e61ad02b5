import { readCache, type CacheContents } from '@tbuild/cache';
import { openLayout, type Provider } from '@tbuild/content';
import { hasCode, messageOf } from '@tbuild/errors';
import { formatReference, parseReference, type Descriptor, type Layer } from '@tbuild/oci';
import type { Underway } from '../build-run.ts';
import type { CacheImportSpec } from '../request.ts';
import type { Services } from '../services.ts';
import { track } from '../track.ts';
import { bucketName } from './bucket-name.ts';
import type { CachePlace } from './imported-steps.ts';

/** What reading caches uses. */
export type CacheImportPorts = Pick<Services, 'openRepository' | 'openBucket'>;

/** A cache that tbuild may be able to read. */
type ReadableCache = Exclude<CacheImportSpec, { type: 'unknown' }>;

/** The contents of a cache, and where its layers are. */
export interface ReadCache {
  readonly contents: CacheContents;
  readonly place: CachePlace;
}

/**
 * Reads the caches of `--cache-from` concurrently: their records, but no layers. A cache that cannot be read causes
 * only a warning.
 */
export async function readCaches(
  specs: readonly ReadableCache[],
  ports: CacheImportPorts,
  underway: Underway,
): Promise<readonly ReadCache[]> {
  const { progress, signal } = underway;
  const reading = specs.map(async (spec) => {
    const name = nameOf(spec);
    try {
      return await track(underway, `importing cache manifest from ${name}`, async () => {
        const { root, place } = await openCache(spec, ports, signal);
        const { provider } = place;
        const contents = await readCache(provider, root, signal);
        // A registry keeps what a manifest refers to. A directory may have lost blobs, and checking is cheap. A bucket may
        // have, and checking is dear: a step whose layer is missing there runs again.
        return { contents: spec.type === 'local' ? await presentIn(provider, contents) : contents, place };
      });
    } catch (error) {
      if (signal.aborted) return undefined;
      // BuildKit's own caches.
      const advice = hasCode(error, 'UNSUPPORTED') ? `; --cache-to ${seedOf(spec)} writes one that it can` : '';
      progress.emit({ type: 'warning', message: `Cache ${name} is ignored: ${messageOf(error)}${advice}` });
      return undefined;
    }
  });
  return (await Promise.all(reading)).filter((cache) => cache !== undefined);
}

async function presentIn(provider: Provider, { steps, mounts, ...rest }: CacheContents): Promise<CacheContents> {
  const isPresent = async ({ layer }: { readonly layer?: Layer }): Promise<boolean> => {
    return layer === undefined || provider.has(layer.descriptor);
  };
  const areMountsPresent = await Promise.all(mounts.map(isPresent));
  return {
    steps: await Promise.all(
      steps.map(async (step) => ((await isPresent(step)) ? step : { record: step.record, contents: step.contents })),
    ),
    mounts: mounts.filter((_, at) => areMountsPresent[at]),
    ...rest,
  };
}

function nameOf(spec: ReadableCache): string {
  if (spec.type === 'local') return `${spec.path}:${spec.name}`;
  return spec.type === 'registry' ? spec.reference : `${bucketName(spec)}${spec.name}`;
}

/** Returns the option that writes a cache to the same place, or beside it where BuildKit's would be lost. */
function seedOf(spec: ReadableCache): string {
  if (spec.type === 'local') return `type=local,dest=${spec.path},mode=max`;
  if (spec.type === 'registry') return `type=registry,ref=${spec.reference},mode=max`;
  return `type=${spec.bucket.kind},name=${spec.name},mode=max`;
}

async function openCache(
  spec: ReadableCache,
  { openRepository, openBucket }: CacheImportPorts,
  signal: AbortSignal,
): Promise<{ root: Descriptor; place: CachePlace }> {
  if (spec.type === 'local') {
    const layout = await openLayout(spec.path);
    return { root: await layout.resolve(spec.name), place: { provider: layout.provider } };
  }
  if (spec.type === 'bucket') {
    const provider = await openBucket(spec);
    return { root: await provider.resolve(spec.name, signal), place: { provider } };
  }
  const reference = parseReference(formatReference(parseReference(spec.reference)));
  const repository = await openRepository(reference);
  return {
    root: await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal),
    place: { provider: repository, reference },
  };
}
