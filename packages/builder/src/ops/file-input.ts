import type { ResultId } from '@tbuild/cache';
import {
  createFileHasher,
  digestSelection,
  selectFiles,
  type DigestOptions,
  type FileHasher,
  type SelectedSource,
  type SelectOptions,
} from '@tbuild/context';
import type { FileSource } from '@tbuild/graph';
import { canonicalJson, type Digest } from '@tbuild/oci';
import { openLayeredTree } from '@tbuild/snapshot';
import type { Solved } from '@tbuild/solver';
import type { OpEnvironment } from './op-environment.ts';

/** Files that a step reads: their digest for the key, and what was keyed, to be read later. */
export interface FileInput {
  readonly content: Digest;
  select(): Promise<readonly SelectedSource[]>;
  readonly hasher: FileHasher;
  /** Whether the files have owners of their own. */
  readonly owner: 'keep' | 'root';
  /** Whether it is for a mount, where a selected directory's own attributes count. */
  readonly shown: boolean;
}

/** What to read, and what for. */
export type FileInputOptions = SelectOptions & Pick<DigestOptions, 'shown'>;

/** Opens the files that `options` select from a context or from the tree of another step. */
export async function openFileInput(
  from: Exclude<FileSource, { kind: 'inline' }>,
  options: FileInputOptions,
  sources: readonly Solved<ResultId>[],
  env: OpEnvironment,
): Promise<FileInput> {
  if (from.kind === 'context') return contextInput(from.name, options, env);
  const source = sources[from.source];
  if (source === undefined) throw new Error(`Step has no source ${from.source}`);
  return resultInput(source.result, options, env);
}

function contextInput(name: string, options: FileInputOptions, env: OpEnvironment): FileInput {
  const { tree, hasher, owner } = env.contexts.open(name);
  const { shown = false } = options;
  const selection = selectFiles(tree, options);
  const content = digestSelection(selection, { hasher, owner, shown });
  env.contexts.onRead(name, sizeOf(selection));
  return { content, select: async () => selection, hasher, owner, shown };
}

function sizeOf(selection: readonly SelectedSource[]): number {
  return selection.reduce((sum, { entry, files }) => sum + (files.length === 0 ? entry.stats.size : files.bytes), 0);
}

async function resultInput(result: ResultId, options: FileInputOptions, env: OpEnvironment): Promise<FileInput> {
  const { worker, results } = env;
  const { shown = false } = options;
  const hasher = createFileHasher();
  let selection: readonly SelectedSource[] | undefined;
  const select = async (): Promise<readonly SelectedSource[]> => {
    const { directories } = await results.snapshot(result);
    return (selection ??= selectFiles(openLayeredTree(directories, worker.flavour), options));
  };
  const compute = async (): Promise<Digest> => digestSelection(await select(), { hasher, owner: 'keep', shown });
  const content = await results.contentDigest(result, canonicalJson(options), compute);
  return { content, select, hasher, owner: 'keep', shown };
}
