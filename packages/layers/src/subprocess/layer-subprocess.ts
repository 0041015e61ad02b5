import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { runSync } from '@tbuild/concurrency';
import { createLocalStore, type LocalStore } from '@tbuild/content';
import { createFileHasher, receiveSelection, sendSelection, type SentSelection } from '@tbuild/context';
import { openPipe, openUnnamedFile, startProcess, type StartedProcess } from '@tbuild/linux';
import type { Layer } from '@tbuild/oci';
import type { StoreLayout } from '@tbuild/store';
import { type PlacedCopy, writeLayer } from '@tbuild/copy';
import type { PendingLayer } from '../pending-layer.ts';
import { followBlob, type FollowOptions } from './follow-blob.ts';

/** Writes layers of large copies on another processor while this one makes their trees, or compresses what is written. */
export interface LayerSubprocess {
  /**
   * Undefined when it is busy with another one. The layer is undefined when it has to be packed from the tree, for whatever
   * reason: who does that meets the same error, or finds the build cancelled. One that is not to be kept is only told of, and its
   * bytes are had as they come.
   */
  start(copy: PlacedCopy, signal: AbortSignal, options: FollowOptions): Required<PendingLayer> | undefined;
  /** Gives up what is not finished; nothing of it stays. */
  stop(): Promise<void>;
}

/** What the process is told. */
interface LayerJob extends Pick<PlacedCopy, 'target' | 'lowers' | 'flavour' | 'earlier'> {
  /** The store's directory, or another one for a layer that is not to be kept. */
  readonly root: string;
  readonly temporaryDirectory: string;
  readonly sources: SentSelection;
  readonly options: Omit<PlacedCopy['options'], 'hasher' | 'written'>;
}

/**
 * `args`, the path of a program and its arguments, are started for each layer; it gives its standard input
 * to {@link doLayerJob}, and prints what that returns. A thread of this process would not do: one that runs from a
 * snapshot of the heap shares parts of that with its threads, and those that Node 24 sets only once end it at once.
 */
export function createLayerSubprocess(
  store: StoreLayout,
  content: Pick<LocalStore, 'trust'>,
  args: readonly string[],
): LayerSubprocess {
  let running: { readonly kill: () => void; readonly layer: Promise<Layer | undefined> } | undefined;
  return {
    start(copy, signal, options) {
      if (running !== undefined) return undefined;
      const job = jobOf(copy, store, options);
      const started = startJob(job, args);
      if (started === undefined) return undefined;
      const { process: child, answer } = started;
      const kill = (): void => void (child.isRunning() && process.kill(child.pid, 'SIGKILL'));
      signal.addEventListener('abort', kill);
      const layer = Promise.all([answer, child.ended()])
        .then(([text]) => {
          const made = layerIn(text);
          if (made !== undefined && options.keep) content.trust(made.descriptor.digest);
          return made;
        })
        .finally(() => {
          signal.removeEventListener('abort', kill);
          rmSync(job.temporaryDirectory, { recursive: true, force: true });
          running = undefined;
        });
      running = { kill, layer };
      const whole = layer.then((made) => made?.descriptor);
      return { layer, bytes: followBlob(job.temporaryDirectory, whole, options) };
    },
    async stop() {
      running?.kill();
      await running?.layer;
    },
  };
}

function jobOf(
  { sources, target, options, lowers, flavour, earlier }: PlacedCopy,
  { root, temporary }: StoreLayout,
  { keep }: FollowOptions,
): LayerJob {
  const { owner, now, fixedTime } = options;
  const { destination, chmod, keepOwner } = target;
  const temporaryDirectory = join(temporary, `layer-${randomBytes(6).toString('hex')}`);
  return {
    root: keep ? root : temporaryDirectory,
    temporaryDirectory,
    lowers,
    flavour,
    earlier,
    sources: sendSelection(sources),
    target: { destination, chmod, keepOwner },
    options: { owner, now, fixedTime },
  };
}

/** Undefined where no process can be had: their number may be limited. */
function startJob(
  job: LayerJob,
  [path = '', ...args]: readonly string[],
): { readonly process: StartedProcess; readonly answer: Promise<string> } | undefined {
  const opened: number[] = [];
  try {
    mkdirSync(job.temporaryDirectory, { recursive: true });
    // A pipe would take little of it before this process comes to write the rest.
    using input = openUnnamedFile(join(job.temporaryDirectory, 'job'), serialize(job), 0o600);
    const { reader, writer } = openPipe();
    opened.push(writer);
    const output = new Socket({ fd: reader, readable: true, writable: false });
    const answer = textOf(output);
    opened.push(openSync('/dev/null', 'w'));
    return { process: startProcess(path, args, { env: {}, descriptors: [input.fd, ...opened] }), answer };
  } catch {
    rmSync(job.temporaryDirectory, { recursive: true, force: true });
    return undefined;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

async function textOf(stream: Socket): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** A process that was ended said nothing, or only the beginning. */
function layerIn(text: string): Layer | undefined {
  return text.endsWith('\n') ? JSON.parse(text) : undefined;
}

/** What the process does with its standard input; its result is to be printed. */
export function doLayerJob(input: Buffer): string {
  const { root, temporaryDirectory, sources, options, ...copy }: LayerJob = deserialize(input);
  // It did not see the files when they were keyed: one that is no longer the same is left to who did.
  const hasher = createFileHasher();
  const content = createLocalStore(root, { temporaryDirectory });
  const layer = runSync(
    writeLayer({ ...copy, sources: receiveSelection(sources), options: { ...options, hasher } }, content),
  );
  return layer === undefined ? '' : `${JSON.stringify(layer)}\n`;
}
