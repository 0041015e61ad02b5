import { type CooperativeTask, runCooperatively } from '@tbuild/concurrency';
import { type FileHasher, isLarge as isLargeFile, type SelectedSource } from '@tbuild/context';
import { copyFiles, type PlacedCopy } from '@tbuild/copy';
import type { ResultId, Step } from '@tbuild/graph';
import { chooseStrategy, isLarge, type PendingLayer } from '@tbuild/layers';
import { hexOf } from '@tbuild/oci';
import { type ActiveSnapshot, createTreeWriter } from '@tbuild/snapshot';
import type { StoreLayout } from '@tbuild/store';
import type { ImageLayers } from '../image-layers.ts';
import { prepareOn, type Trees } from '../trees.ts';
import { type RememberedCopy, wasDoneBefore } from './copy-memory.ts';
import { type ListedFiles, sizeOf } from './file-input.ts';
import { circumstancesOf, type LayerPorts, startLayer } from './layer-work.ts';
import { factsOf, placeCopy, type PlacePorts } from './place-copy.ts';

/** A copy whose files are listed, but not yet read. */
export interface ListedCopy extends Omit<RememberedCopy, 'makes' | 'input'> {
  readonly input: ListedFiles;
}

/**
 * The layer and the tree of a copy, which are made while its files are being read for the key. Each file is read once for
 * the key and the tree.
 */
export interface EarlyCopy {
  /** Allows the work to start, until the signal aborts. */
  allow(signal: AbortSignal): void;
  /**
   * Starts the work once the files are listed. Ends when the tree is made, if it can be made at once, or when the build
   * is cancelled.
   */
  onListed(copy: ListedCopy, cancelled: AbortSignal): Promise<void>;
  /** Returns the layer, or undefined if none was started. */
  layer(): Promise<PendingLayer | undefined>;
  /** Returns the finished tree, or undefined if none was made. */
  tree(): ActiveSnapshot | undefined;
  /** Aborts the work if the files change while they are read. */
  abort(): Promise<void>;
}

/** What an early copy uses. */
export interface EarlyCopyPorts
  extends
    LayerPorts,
    PlacePorts,
    Pick<Trees, 'snapshots' | 'unpackLimits'>,
    Pick<ImageLayers, 'imageSteps' | 'leafSteps'> {
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
  let signal: AbortSignal | undefined;
  let layer: Promise<PendingLayer | undefined> = Promise.resolve(undefined);
  let tree: ActiveSnapshot | undefined;
  return {
    allow: (until) => void (signal = until),
    async onListed(copy, cancelled) {
      if (signal === undefined || !(await isExpected(copy, ports))) return;
      const until = AbortSignal.any([signal, own.signal, cancelled]);
      const placing = placeCopy({ ...copy, input: { ...copy.input, hasStableStat: true } }, ports);
      // A failure here also fails the step, which reports it.
      layer = placing.then((placed) => placed && startEarly({ placed, step }, ports, until)).catch(() => undefined);
      if (ports.leafSteps.has(step.id) || !(await isUnread(copy)) || !(await isReady(copy.base, ports))) return;
      await layer;
      tree = await placing
        .then((placed) => placed && makeTree({ ...placed, ...copy }, ports, until))
        .catch(() => undefined);
      const discard = (): void => {
        void tree?.[Symbol.asyncDispose]();
        tree = undefined;
      };
      if (until.aborted) discard();
      until.addEventListener('abort', discard);
    },
    layer: () => layer,
    tree: () => tree,
    async abort() {
      own.abort();
      await layer;
    },
  };
}

async function isExpected(copy: ListedCopy, { importsCaches, store }: EarlyCopyPorts): Promise<boolean> {
  if (importsCaches || copy.selection.unpack || copy.input.owner === 'keep') return false;
  return isLarge(sizeOf(await copy.input.select())) && !wasDoneBefore(copy, store);
}

/** So many files show whether the rest has to be read. */
const SAMPLE = 1000;

/** Returns whether most of the files have to be read for the key. Otherwise the key is known soon. */
async function isUnread({ input }: ListedCopy): Promise<boolean> {
  let [known, seen] = [0, 0];
  for (const { files } of await input.select()) {
    for (const { entry } of files) {
      if (input.hasher.known(entry) !== undefined) known++;
      if (++seen === SAMPLE) return known < seen / 2;
    }
  }
  return known < seen / 2;
}

/** Returns whether the tree below is there. Extracting a base image is no reason to wait with the files. */
async function isReady(base: ResultId | undefined, { snapshots }: Pick<Trees, 'snapshots'>): Promise<boolean> {
  return base === undefined || (await snapshots.stat(hexOf(base))) !== undefined;
}

function startEarly(
  { placed, step }: { readonly placed: PlacedCopy; readonly step: Step },
  ports: EarlyCopyPorts,
  signal: AbortSignal,
): PendingLayer | undefined {
  if (signal.aborted) return undefined;
  const strategy = chooseStrategy(factsOf(placed, step, ports), circumstancesOf(ports, { isKeyed: false }));
  return startLayer({ placed, strategy }, ports, signal);
}

async function makeTree(
  { sources, target, options, base, input }: PlacedCopy & ListedCopy,
  ports: Trees,
  signal: AbortSignal,
): Promise<ActiveSnapshot> {
  const active = await prepareOn(base, ports);
  try {
    const { upper, lowers } = active;
    const writer = createTreeWriter({ upper, lowers, flavour: ports.flavour });
    await runCooperatively(keyLargeFiles(sources, input.hasher), signal);
    const reading = { ...options, read: input.read };
    await runCooperatively(copyFiles(sources, writer, { target, options: reading }), signal);
    writer.finish();
    return active;
  } catch (error) {
    await active[Symbol.asyncDispose]();
    throw error;
  }
}

function* keyLargeFiles(sources: readonly SelectedSource[], hasher: FileHasher): CooperativeTask {
  for (const source of sources)
    for (const { entry } of [source, ...source.files])
      if (isLargeFile(entry)) {
        yield* hasher.readLarge(entry);
        hasher.digest(entry);
      }
}
