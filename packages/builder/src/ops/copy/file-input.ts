import { runCooperatively } from '@tbuild/concurrency';
import {
  createFileHasher,
  digestSelection,
  selectFiles,
  type DigestOptions,
  type FileHasher,
  type SelectedSource,
  type SelectOptions,
  type StatIndex,
} from '@tbuild/context';
import type { FileSource, ResultId } from '@tbuild/graph';
import { canonicalJson, type Digest } from '@tbuild/oci';
import { openLayeredTree } from '@tbuild/snapshot';
import type { Solved } from '@tbuild/solver';
import pLimit from 'p-limit';
import type { Contexts } from '../../session/contexts.ts';
import type { Trees } from '../trees.ts';
import { originOf } from './part-origin.ts';

/** What reading the files of contexts and steps uses. */
export interface FilePorts extends Trees {
  readonly contexts: Contexts;
}

/** The files that a step reads: their digest for the key, and the keyed files to read later. */
export interface FileInput {
  readonly content: Digest;
  select(): Promise<readonly SelectedSource[]>;
  readonly hasher: FileHasher;
  /** Whether the files have their own owners. */
  readonly owner: 'keep' | 'root';
  /** Whether the files are for a mount, where the attributes of a selected directory matter. */
  readonly shown: boolean;
  /** Whether permission bits are not keyed. */
  readonly anyMode: boolean;
  /** Whether any later change to a file will show in its stats. */
  readonly hasStableStat: boolean;
}

/** Files of a context that are listed but not yet hashed, since their digest is unknown. */
export type ListedFiles = Pick<FileInput, 'select' | 'hasher' | 'owner'> & Pick<StatIndex, 'digestOnce'>;

/** Which files to read, and whether for a mount. */
export type FileInputOptions = SelectOptions & Pick<DigestOptions, 'shown' | 'anyMode'>;

/** The files that a step wants from a context or from one of its sources. */
export interface WantedFiles {
  readonly from: Exclude<FileSource, { kind: 'inline' }>;
  /** The sources of the step. */
  readonly sources: readonly Solved<ResultId>[];
  readonly options: FileInputOptions;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** Receives the files of a context before they are hashed. They are hashed when it has ended. */
  onListed?(files: ListedFiles): Promise<void>;
}

/** Opens the files that a step wants. */
export async function openFileInput(
  { from, sources, options }: WantedFiles,
  ports: FilePorts,
  reading: ReadOptions,
): Promise<FileInput> {
  if (from.kind === 'context')
    return inTurn(() => contextInput(from.name, options, { ...reading, contexts: ports.contexts }));
  const source = sources[from.source];
  if (source === undefined) throw new Error(`Step has no source ${from.source}`);
  return resultInput(source.result, options, { ...ports, signal: reading.signal });
}

/** Inputs are read one after the other: the second step finds the digests of the first. */
const inTurn = pLimit(1);

async function contextInput(
  name: string,
  options: FileInputOptions,
  { contexts, signal, onListed }: Pick<FilePorts, 'contexts'> & ReadOptions,
): Promise<FileInput> {
  const { tree, hasher, owner } = contexts.open(name);
  const { shown = false, anyMode = false } = options;
  const selection = await runCooperatively(selectFiles(tree, options), signal);
  const listed = { select: async () => selection, hasher, owner };
  const opened = hasher.openSelection(selection, { owner, shown, anyMode });
  if (opened.isNew) await onListed?.({ ...listed, digestOnce: (entry) => hasher.digestOnce(entry) });
  const content = await runCooperatively(opened.digest(), signal);
  contexts.onRead(name, sizeOf(selection).bytes);
  return { content, ...listed, shown, anyMode, hasStableStat: hasher.haveStableStats(selection) };
}

/** Returns the number of files in a selection and their total size. */
export function sizeOf(selection: readonly SelectedSource[]): { files: number; bytes: number } {
  let [count, bytes] = [0, 0];
  for (const { entry, files } of selection) {
    count += Math.max(files.length, 1);
    bytes += files.length === 0 ? entry.stats.size : files.bytes;
  }
  return { files: count, bytes };
}

async function resultInput(
  result: ResultId,
  options: FileInputOptions,
  { results, flavour, snapshots, signal }: Trees & Pick<ReadOptions, 'signal'>,
): Promise<FileInput> {
  const { shown = false, anyMode = false } = options;
  const hasher = createFileHasher();
  let selection: readonly SelectedSource[] | undefined;
  const select = async (): Promise<readonly SelectedSource[]> => {
    const { directories } = await results.snapshot(result);
    return (selection ??= await runCooperatively(
      selectFiles(openLayeredTree(directories, flavour, { isCommitted: true }), options),
      signal,
    ));
  };
  const compute = async (): Promise<Digest> =>
    runCooperatively(digestSelection(await select(), { hasher, owner: 'keep', shown, anyMode }), signal);
  const selector = canonicalJson(options);
  const content = await results.contentDigest(result, selector, async () => {
    const origin = await originOf(result, options, { results, snapshots, flavour });
    return origin === result ? compute() : results.contentDigest(origin, selector, compute);
  });
  return { content, select, hasher, owner: 'keep', shown, anyMode, hasStableStat: true };
}
