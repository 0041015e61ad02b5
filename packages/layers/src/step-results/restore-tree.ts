import type { BlobWriter, Provider } from '@tbuild/content';
import type { ExtractedLayer } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import type { ResultId } from '@tbuild/graph';
import { hexOf, layerCompression, type Layer } from '@tbuild/oci';
import type { Snapshot } from '@tbuild/snapshot';
import pLimit from 'p-limit';
import { isStored } from '../compressed-layers.ts';
import { showLayer, type ShownLayer } from '../show-layer.ts';
import { showWork, type ShownWork } from '../show-work.ts';
import type { ResultLayer } from './layer-file.ts';
import type { ResultStore, StepResultsOptions } from './result-store.ts';

/** Number of layers to fetch and extract concurrently. */
const AT_ONCE = 4;

/** A result of which only the layer is left. */
export interface ResultToRestore {
  readonly result: ResultId;
  readonly layer: ResultLayer;
  /** The cached step of the result. */
  readonly step?: ShownWork['step'];
  /** Makes the tree below available. Undefined for the lowest layer. */
  parentTree?(): Promise<unknown>;
}

/**
 * Returns a function that makes the tree of a result from its layer, shown as work of its step. The layers of a chain
 * are fetched and extracted side by side. A layer that depends on those below it is extracted again on top of them, and
 * one whose parent is there already only on top of that.
 */
export function createTreeRestorer(
  stores: ResultStore,
  { remote, progress, now, signal }: StepResultsOptions,
): (restored: ResultToRestore) => Promise<Snapshot> {
  const limit = pLimit(AT_ONCE);
  const extract = async (into: ExtractionTarget, layer: Layer, shown?: ShownLayer): Promise<boolean> => {
    const { descriptor } = layer;
    using blob = isStored(descriptor, stores) ? undefined : stores.content.createWriter(descriptor.digest);
    const copy = blob && copying(remote.unchecked, blob);
    const extracted = await stores.differ.extract(descriptor, into.upper, {
      from: copy?.provider ?? remote.unchecked,
      lowers: into.lowers,
      signal,
      onProgress: shown?.onExtracted,
    });
    const fault = faultOf(layer, extracted);
    if (fault !== undefined) throw remote.lose(descriptor.digest, fault);
    if (copy?.isWhole() === true) blob?.commit(descriptor.digest);
    return extracted.selfContained;
  };
  const restore = async ({ result, layer, parentTree }: ResultToRestore, shown?: ShownLayer): Promise<Snapshot> => {
    const parent = layer.parent ? hexOf(layer.parent) : undefined;
    const below = parentTree?.();
    below?.catch(() => {});
    if (parent !== undefined && (await stores.snapshots.stat(parent)) === undefined) {
      await using alone = await stores.snapshots.prepare();
      const isWhole = await limit(() => extract({ upper: alone.upper }, layer, shown));
      await below;
      if (isWhole) {
        shown?.done();
        return alone.commit(hexOf(result), { onto: parent });
      }
    }
    await below;
    await using active = await stores.snapshots.prepare(parent);
    await limit(() => extract(active, layer, shown));
    shown?.done();
    return active.commit(hexOf(result));
  };
  return async (restored) => {
    const { step, layer, parentTree } = restored;
    const isHere = isStored(layer.descriptor, stores);
    // Waiting for the parent tree must not show this step as started.
    if (isHere) await parentTree?.();
    if (step === undefined) return restore(restored);
    const shown = { progress, now, step, signal, outcome: 'cached' } as const;
    return showWork(shown, () =>
      restore(restored, showLayer(layer.descriptor, { ...shown, step: step.id, isStored: isHere })),
    );
  };
}

interface ExtractionTarget {
  readonly upper: string;
  /** Undefined if the layers below are not known yet. */
  readonly lowers?: readonly string[];
}

/** Writes what is read of a blob to `blob` too. */
function copying(from: Provider, blob: BlobWriter): { readonly provider: Provider; isWhole(): boolean } {
  let isWhole = false;
  const copied = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      blob.write(chunk);
      yield chunk;
    }
    isWhole = true;
  };
  return {
    provider: {
      has: (wanted, signal) => from.has(wanted, signal),
      read: async (target, signal) => copied(await from.read(target, signal)),
    },
    isWhole: () => isWhole,
  };
}

/** Returns what is wrong with an extracted layer of a cache. */
function faultOf(
  { descriptor: { digest, mediaType }, diffId }: Layer,
  found: Pick<ExtractedLayer, 'diffId' | 'compression'>,
): TbuildError | undefined {
  const fault = (what: string): TbuildError => new TbuildError('DIGEST_MISMATCH', `Cached layer ${digest} ${what}`);
  if (found.compression !== layerCompression(mediaType)) return fault(`does not match its media type ${mediaType}`);
  return found.diffId === diffId ? undefined : fault(`unpacks to ${found.diffId}, expected ${diffId}`);
}
