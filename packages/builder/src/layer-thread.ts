import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker as Thread } from 'node:worker_threads';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, receiveSelection, sendSelection, type SentSelection } from '@tbuild/context';
import { atOnce } from '@tbuild/linux';
import type { Layer } from '@tbuild/oci';
import { type PlacedCopy, writeLayer } from './copy/write-layer.ts';

/** Writes layers of large copies on another processor while this one makes their trees. */
export interface LayerThread {
  /**
   * Undefined when it is busy with another one. The layer is undefined when it has to be packed from the tree, for whatever
   * reason: who does that meets the same error, or finds the build cancelled.
   */
  start(copy: PlacedCopy, signal: AbortSignal): Promise<Layer | undefined> | undefined;
  /** Gives up what is not finished; nothing of it stays. */
  stop(): Promise<void>;
}

/** What the thread is sent. */
interface LayerJob extends Pick<PlacedCopy, 'target' | 'lowers' | 'flavour'> {
  /** The store's directory. */
  readonly root: string;
  readonly temporaryDirectory: string;
  readonly sources: SentSelection;
  readonly options: Omit<PlacedCopy['options'], 'hasher' | 'earlier'>;
}

/** A thread for the store in `root`, started for each layer, that runs `script`, which calls {@link doLayerJob}. */
export function createLayerThread(root: string, script: string): LayerThread {
  let running: { readonly thread: Thread; readonly layer: Promise<Layer | undefined> } | undefined;
  return {
    start(copy, signal) {
      if (running !== undefined) return undefined;
      const job = jobOf(copy, root);
      const thread = openThread(script, job);
      if (thread === undefined) return undefined;
      const giveUp = (): void => void thread.terminate();
      signal.addEventListener('abort', giveUp);
      const layer = answerOf(thread).finally(() => {
        signal.removeEventListener('abort', giveUp);
        rmSync(job.temporaryDirectory, { recursive: true, force: true });
        running = undefined;
      });
      running = { thread, layer };
      return layer;
    },
    async stop() {
      await running?.thread.terminate();
      await running?.layer;
    },
  };
}

function jobOf({ sources, target, options, lowers, flavour }: PlacedCopy, root: string): LayerJob {
  const { owner, now, fixedTime } = options;
  const { destination, chmod, keepOwner } = target;
  return {
    root,
    temporaryDirectory: join(root, 'tmp', `layer-${randomBytes(6).toString('hex')}`),
    lowers,
    flavour,
    sources: sendSelection(sources),
    target: { destination, chmod, keepOwner },
    options: { owner, now, fixedTime },
  };
}

/** Undefined where no thread can be had: their number may be limited. */
function openThread(script: string, workerData: LayerJob): Thread | undefined {
  // An import would have to be waited for: the tree would be made before the thread begins.
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  try {
    return new Worker(script, { workerData, resourceLimits: { maxYoungGenerationSizeMb: 12 } });
  } catch {
    return undefined;
  }
}

function answerOf(thread: Thread): Promise<Layer | undefined> {
  return new Promise((resolve) => {
    let answer: Layer | undefined;
    thread.once('message', (layer: Layer | undefined) => (answer = layer));
    thread.once('error', () => {});
    thread.once('exit', () => resolve(answer));
  });
}

/** What the thread does, with its `workerData`; the layer is to be sent back. */
export function doLayerJob({ root, temporaryDirectory, sources, options, ...copy }: LayerJob): Layer | undefined {
  // It did not see the files when they were keyed: one that is no longer the same is left to who did.
  const hasher = createFileHasher();
  const content = createLocalStore(root, { temporaryDirectory });
  return atOnce(writeLayer({ ...copy, sources: receiveSelection(sources), options: { ...options, hasher } }, content));
}
