import { runCooperatively } from '@tbuild/concurrency';
import {
  createFileHasher,
  digestSelection,
  selectFiles,
  type DigestOptions,
  type FileHasher,
  type SelectedSource,
  type SelectOptions,
} from '@tbuild/context';
import type { FileSource, ResultId } from '@tbuild/graph';
import { canonicalJson, type Digest } from '@tbuild/oci';
import { openLayeredTree } from '@tbuild/snapshot';
import type { Solved } from '@tbuild/solver';
import pLimit from 'p-limit';
import type { OpEnvironment, Underway } from '../op-environment.ts';

/** Files that a step reads: their digest for the key, and what was keyed, to be read later. */
export interface FileInput {
  readonly content: Digest;
  select(): Promise<readonly SelectedSource[]>;
  readonly hasher: FileHasher;
  /** Whether the files have owners of their own. */
  readonly owner: 'keep' | 'root';
  /** Whether it is for a mount, where a selected directory's own attributes count. */
  readonly shown: boolean;
  /** Whether a file that changed since it was keyed has other stats. */
  readonly hasStableStat: boolean;
}

/** Files of a context that were listed and are about to be read for their digest, since it is not known yet. */
export type ListedFiles = Pick<FileInput, 'select' | 'hasher' | 'owner'>;

/** What to read, and what for. */
export type FileInputOptions = SelectOptions & Pick<DigestOptions, 'shown'>;

/** Opens the files that `options` select from a context or from the tree of another step. */
export async function openFileInput(
  from: Exclude<FileSource, { kind: 'inline' }>,
  options: FileInputOptions,
  sources: readonly Solved<ResultId>[],
  env: OpEnvironment & Underway & Listening,
): Promise<FileInput> {
  if (from.kind === 'context') return reading(() => contextInput(from.name, options, env));
  const source = sources[from.source];
  if (source === undefined) throw new Error(`Step has no source ${from.source}`);
  return resultInput(source.result, options, env);
}

interface Listening {
  onListed?(files: ListedFiles): void;
}

/** One after the other: what one step reads of a context, the next one need not read again. */
const reading = pLimit(1);

async function contextInput(
  name: string,
  options: FileInputOptions,
  { contexts, signal, onListed }: Pick<OpEnvironment, 'contexts'> & Underway & Listening,
): Promise<FileInput> {
  const { tree, hasher, owner } = contexts.open(name);
  const { shown = false } = options;
  const selection = await runCooperatively(selectFiles(tree, options), signal);
  const listed = { select: async () => selection, hasher, owner };
  const digesting = hasher.digestSelection(selection, { owner, shown }, () => onListed?.(listed));
  const content = await runCooperatively(digesting, signal);
  contexts.onRead(name, sizeOf(selection).bytes);
  return { content, ...listed, shown, hasStableStat: hasher.haveStableStats(selection) };
}

/** How many files a selection has, and their bytes. */
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
  { services, results, signal }: Pick<OpEnvironment, 'services' | 'results'> & Underway,
): Promise<FileInput> {
  const { shown = false } = options;
  const hasher = createFileHasher();
  let selection: readonly SelectedSource[] | undefined;
  const select = async (): Promise<readonly SelectedSource[]> => {
    const { directories } = await results.snapshot(result);
    return (selection ??= await runCooperatively(
      selectFiles(openLayeredTree(directories, services.flavour, { isCommitted: true }), options),
      signal,
    ));
  };
  const compute = async (): Promise<Digest> =>
    runCooperatively(digestSelection(await select(), { hasher, owner: 'keep', shown }), signal);
  const content = await results.contentDigest(result, canonicalJson(options), compute);
  return { content, select, hasher, owner: 'keep', shown, hasStableStat: true };
}
