import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { runSync } from '@tbuild/concurrency';
import { createLocalStore, type LocalStore } from '@tbuild/content';
import { createFileHasher, receiveSelection, sendSelection, type SentSelection } from '@tbuild/context';
import { type PlacedCopy, writeLayer } from '@tbuild/copy';
import { makeDirectory, openPipe, openUnnamedFile, type StartedProcess, startProcess } from '@tbuild/linux';
import type { Layer } from '@tbuild/oci';
import type { StoreLayout } from '@tbuild/store';
import type { PendingLayer } from '../pending-layer.ts';
import { followBlob, type FollowOptions } from './follow-blob.ts';

/** Writes layers of large copies on another core, while this process makes their trees or compresses the output. */
export interface LayerSubprocess {
  /**
   * Starts a job. Returns undefined if another one is running. The layer is undefined if it has to be packed from the
   * tree: packing then meets the same error, or finds the build cancelled. With `keep: false` only the bytes and the
   * descriptor are available, not a blob.
   */
  start(copy: PlacedCopy, signal: AbortSignal, options: FollowOptions): Required<PendingLayer> | undefined;
  /** Aborts the running job and removes its files. */
  stop(): Promise<void>;
}

/** The job description that the process receives. */
interface LayerJob extends Pick<PlacedCopy, 'target' | 'lowers' | 'outline' | 'flavour' | 'earlier'> {
  /** The store's directory, or a temporary one for a layer that is not kept. */
  readonly root: string;
  readonly temporaryDirectory: string;
  readonly sources: SentSelection;
  readonly options: Omit<PlacedCopy['options'], 'hasher' | 'written'>;
}

/**
 * Creates a subprocess that runs `args` (a program and its arguments) for each layer. The program passes its standard
 * input to {@link doLayerJob} and prints the result. A thread cannot replace the process: Node 24 crashes when a
 * process that started from a heap snapshot starts a thread.
 */
export function createLayerSubprocess(
  store: StoreLayout,
  content: Pick<LocalStore, 'trust'>,
  args: readonly string[],
): LayerSubprocess {
  let running: { readonly kill: () => void; readonly layer: Promise<Layer | undefined> } | undefined;
  /** Removes the files of layers that are not kept and that nobody may have read yet. */
  const unread = new Set<() => void>();
  return {
    start(copy, signal, options) {
      if (running !== undefined) return undefined;
      const job = jobOf(copy, store, options);
      const started = startJob(job, args);
      if (started === undefined) return undefined;
      const { process: child, answer } = started;
      const remove = (): void => {
        unread.delete(remove);
        rmSync(job.temporaryDirectory, { recursive: true, force: true });
      };
      const kill = (): void => void (child.isRunning() && process.kill(child.pid, 'SIGKILL'));
      signal.addEventListener('abort', kill);
      const layer = Promise.all([answer, child.ended()])
        .then(([text]) => {
          const made = layerIn(text);
          if (made !== undefined && options.keep) content.trust(made.descriptor.digest);
          if (made === undefined || options.keep) remove();
          return made;
        })
        .finally(() => {
          signal.removeEventListener('abort', kill);
          running = undefined;
        });
      running = { kill, layer };
      if (!options.keep) unread.add(remove);
      const { path } = createLocalStore(job.root);
      const whole = layer.then((made) => made && { size: made.descriptor.size, file: path(made.descriptor.digest) });
      return { layer, bytes: thenRunning(followBlob(job.temporaryDirectory, whole, options), remove) };
    },
    async stop() {
      running?.kill();
      await running?.layer;
      for (const remove of unread) remove();
    },
  };
}

async function* thenRunning<T>(items: AsyncIterable<T>, end: () => void): AsyncGenerator<T, void, undefined> {
  try {
    yield* items;
  } finally {
    end();
  }
}

function jobOf(
  { sources, target, options, lowers, outline, flavour, earlier }: PlacedCopy,
  { root, temporary }: StoreLayout,
  { keep }: FollowOptions,
): LayerJob {
  const { owner, now } = options;
  const { destination, chmod, keepOwner } = target;
  const temporaryDirectory = join(temporary, `layer-${randomBytes(6).toString('hex')}`);
  return {
    root: keep ? root : temporaryDirectory,
    temporaryDirectory,
    lowers,
    outline,
    flavour,
    earlier,
    sources: sendSelection(sources),
    target: { destination, chmod, keepOwner },
    options: { owner, now },
  };
}

/** Starts the process. Returns undefined if that fails, since the number of processes may be limited. */
function startJob(
  job: LayerJob,
  [path = '', ...args]: readonly string[],
): { readonly process: StartedProcess; readonly answer: Promise<string> } | undefined {
  const opened: number[] = [];
  try {
    makeDirectory(job.temporaryDirectory);
    // A pipe would hold only part of the job until this process writes the rest.
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

/** Parses the answer. A killed process printed nothing or only a part. */
function layerIn(text: string): Layer | undefined {
  return text.endsWith('\n') ? JSON.parse(text) : undefined;
}

/** Runs a job in the subprocess: takes its standard input and returns the text to print. */
export function doLayerJob(input: Buffer): string {
  const { root, temporaryDirectory, sources, options, ...copy }: LayerJob = deserialize(input);
  // This process did not see the files when they were keyed. It leaves changed files to the process that did.
  const hasher = createFileHasher();
  const content = createLocalStore(root, { temporaryDirectory });
  const layer = runSync(
    writeLayer({ ...copy, sources: receiveSelection(sources), options: { ...options, hasher } }, content),
  );
  return layer === undefined ? '' : `${JSON.stringify(layer)}\n`;
}
