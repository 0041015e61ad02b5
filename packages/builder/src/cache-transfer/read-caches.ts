import { readCache, type CacheContents } from '@tbuild/cache';
import { openLayout, type Provider } from '@tbuild/content';
import { formatReference, parseReference, type Descriptor, type Layer } from '@tbuild/oci';
import type { ImageSources } from '@tbuild/sources';
import type { Underway } from '../build-run.ts';
import type { CacheImportSpec } from '../request.ts';
import { track } from '../track.ts';
import type { CachePlace } from './imported-steps.ts';

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
  specs: readonly CacheImportSpec[],
  images: Pick<ImageSources, 'openRepository'>,
  underway: Underway,
): Promise<readonly ReadCache[]> {
  const { progress, signal } = underway;
  const reading = specs.map(async (spec) => {
    const name = nameOf(spec);
    try {
      return await track(underway, `importing cache manifest from ${name}`, async () => {
        const { root, place } = await openCache(spec, images, signal);
        const { provider } = place;
        const contents = await readCache(provider, root, signal);
        // A registry keeps what a manifest refers to. A directory may have lost blobs, and checking is cheap.
        return { contents: spec.type === 'local' ? await presentIn(provider, contents) : contents, place };
      });
    } catch (error) {
      if (signal.aborted) return undefined;
      progress.emit({
        type: 'warning',
        message: `Cache ${name} is ignored: ${error instanceof Error ? error.message : String(error)}`,
      });
      return undefined;
    }
  });
  return (await Promise.all(reading)).filter((cache) => cache !== undefined);
}

async function presentIn(provider: Provider, { steps, mounts, notes }: CacheContents): Promise<CacheContents> {
  const isPresent = async ({ layer }: { readonly layer?: Layer }): Promise<boolean> => {
    return layer === undefined || provider.has(layer.descriptor);
  };
  const areMountsPresent = await Promise.all(mounts.map(isPresent));
  return {
    steps: await Promise.all(
      steps.map(async (step) => ((await isPresent(step)) ? step : { record: step.record, contents: step.contents })),
    ),
    mounts: mounts.filter((_, at) => areMountsPresent[at]),
    notes,
  };
}

function nameOf(spec: CacheImportSpec): string {
  return spec.type === 'local' ? `${spec.path}:${spec.name}` : spec.reference;
}

async function openCache(
  spec: CacheImportSpec,
  images: Pick<ImageSources, 'openRepository'>,
  signal: AbortSignal,
): Promise<{ root: Descriptor; place: CachePlace }> {
  if (spec.type === 'local') {
    const layout = await openLayout(spec.path);
    return { root: await layout.resolve(spec.name), place: { provider: layout.provider } };
  }
  const reference = parseReference(formatReference(parseReference(spec.reference)));
  const repository = await images.openRepository(reference);
  return {
    root: await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal),
    place: { provider: repository, reference },
  };
}
