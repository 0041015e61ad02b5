import { createFileHasher, type SelectedSource, typeOf } from '@tbuild/context';
import type { Step } from '@tbuild/graph';
import { isLargeCopy, type LayerPorts, type PendingLayer, writeLayerInSubprocess } from '@tbuild/layers';
import { hexOf } from '@tbuild/oci';
import type { ActiveSnapshot } from '@tbuild/snapshot';
import type { Anticipation } from '@tbuild/solver';
import type { StoreLayout } from '@tbuild/store';
import type { ImageLayers } from '../image-layers.ts';
import { type RememberedCopy, wasDoneBefore } from './copy-memory.ts';
import { strategyOf } from './copy-strategy.ts';
import { type ListedFiles, sizeOf } from './file-input.ts';
import { makeTree, type TreePorts } from './make-tree.ts';
import { placeCopy, type PlacePorts } from './place-copy.ts';

/** A copy whose files are listed, but not yet read. */
export interface ListedCopy extends Omit<RememberedCopy, 'makes' | 'input'> {
  readonly input: ListedFiles;
}

/** The tree and the layer of a copy that are made before its key is known. */
export interface EarlyCopy {
  /** Allows both to start. */
  allow(allowed: Anticipation): void;
  /**
   * Starts the layer once the files are listed, and makes the tree where its base is there. That reads most files for
   * the key too.
   */
  onListed(copy: ListedCopy, signal: AbortSignal): Promise<void>;
  /** Says that the files are read. A layer that still waits for the tree below starts only if that is worth it now. */
  onKeyed(): void;
  /** Returns the layer, or undefined if none was started. */
  layer(): Promise<PendingLayer | undefined>;
  /** Returns the tree, or undefined if none was made. The caller commits or disposes it. */
  takeTree(): ActiveSnapshot | undefined;
  /** Aborts both, since the files may have changed while they were read. */
  abort(): Promise<void>;
}

/** What an early copy uses. */
export interface EarlyCopyPorts
  extends LayerPorts, PlacePorts, TreePorts, Pick<ImageLayers, 'imageSteps' | 'leafSteps'> {
  readonly store: Pick<StoreLayout, 'variantsOf' | 'copyMemo'>;
  /** Whether the build imports caches, which may have the results of its steps. */
  readonly importsCaches: boolean;
}

/**
 * Opens the early copy of a step. It starts only for a large copy that almost certainly has to run: the same
 * instruction has not run on this base before, and no imported cache may have its result.
 */
export function openEarlyCopy(step: Step, ports: EarlyCopyPorts): EarlyCopy {
  const own = new AbortController();
  let allowed: Anticipation | undefined;
  let isKeyed = false;
  let layer: Promise<PendingLayer | undefined> = Promise.resolve(undefined);
  let tree: ActiveSnapshot | undefined;
  const takeTree = (): ActiveSnapshot | undefined => {
    const taken = tree;
    tree = undefined;
    return taken;
  };
  return {
    allow: (anticipation) => void (allowed = anticipation),
    async onListed(copy, signal) {
      if (allowed === undefined || !(await isWorthIt(copy, ports))) return;
      const { onStart } = allowed;
      const stop = AbortSignal.any([allowed.signal, own.signal, signal]);
      // A failure here also fails the step, which reports it.
      layer = startEarlyLayer({ ...copy, step, isKeyed: () => isKeyed }, ports, stop).catch(() => undefined);
      tree = await makeEarlyTree({ ...copy, step, onStart }, ports, stop).catch(() => undefined);
      const discard = (): void => void takeTree()?.[Symbol.asyncDispose]();
      stop.addEventListener('abort', discard);
      if (stop.aborted) discard();
    },
    onKeyed: () => void (isKeyed = true),
    layer: () => layer,
    takeTree,
    async abort() {
      own.abort();
      await layer;
    },
  };
}

async function isWorthIt(copy: ListedCopy, { importsCaches, store }: EarlyCopyPorts): Promise<boolean> {
  const { selection, input } = copy;
  if (importsCaches || selection.unpack || input.owner === 'keep') return false;
  return isLargeCopy(sizeOf(await input.select())) && !wasDoneBefore(copy, store);
}

async function startEarlyLayer(
  copy: ListedCopy & { readonly step: Step; isKeyed(): boolean },
  ports: EarlyCopyPorts,
  signal: AbortSignal,
): Promise<PendingLayer | undefined> {
  const { step, input } = copy;
  if (!ports.imageSteps.has(step.id)) return undefined;
  const placed = await placeCopy({ ...copy, input: { ...input, hasStableStat: true } }, ports);
  if (placed === undefined || signal.aborted) return undefined;
  const strategy = strategyOf({ placed, step, isKeyed: copy.isKeyed() }, ports);
  return writeLayerInSubprocess(placed, strategy, { ...ports, signal });
}

/**
 * Makes the tree if a step needs it, unless the files would have to wait for that of the base, or the key is known soon
 * since few files have to be read.
 */
async function makeEarlyTree(
  { op, selection, input, base, step, onStart }: ListedCopy & { readonly step: Step; onStart(): void },
  ports: EarlyCopyPorts,
  signal: AbortSignal,
): Promise<ActiveSnapshot | undefined> {
  if (ports.leafSteps.has(step.id)) return undefined;
  if (base !== undefined && (await ports.snapshots.stat(hexOf(base))) === undefined) return undefined;
  if (!hasManyUnread(await input.select(), input)) return undefined;
  onStart();
  const { select, digestOnce } = input;
  const parts = [{ selection, input: { select, hasher: createFileHasher() } }];
  return makeTree({ op, step, parts, base, digestOnce }, ports, signal);
}

/** Decides whether so many files have no known digest that reading them once is worth an early tree. */
function hasManyUnread(sources: readonly SelectedSource[], { hasher }: Pick<ListedFiles, 'hasher'>): boolean {
  let unread = 0;
  for (const { files } of sources)
    for (const { entry } of files) {
      if (typeOf(entry.stats) === 'file' && !hasher.hasStableStat(entry)) unread += 1;
      if (isLargeCopy({ files: unread, bytes: 0 })) return true;
    }
  return false;
}
