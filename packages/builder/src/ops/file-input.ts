import type { ResultId } from '@tbuild/cache';
import {
  createFileHasher,
  digestSelection,
  selectFiles,
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
}

/** Opens the files that `options` select from a context or from the tree of another step. */
export async function openFileInput(
  from: Exclude<FileSource, { kind: 'inline' }>,
  options: SelectOptions,
  sources: readonly Solved<ResultId>[],
  env: OpEnvironment,
): Promise<FileInput> {
  if (from.kind === 'context') return contextInput(from.name, options, env);
  const source = sources[from.source];
  if (source === undefined) throw new Error(`Step has no source ${from.source}`);
  return resultInput(source.result, options, env);
}

function contextInput(name: string, options: SelectOptions, env: OpEnvironment): FileInput {
  const { tree, hasher, owner } = env.contexts.open(name);
  const selection = selectFiles(tree, options);
  const content = hasher.digestSelection(selection, () => digestSelection(selection, { hasher, owner }));
  env.contexts.onRead(name, sizeOf(selection).bytes);
  return { content, select: async () => selection, hasher, owner };
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

async function resultInput(result: ResultId, options: SelectOptions, env: OpEnvironment): Promise<FileInput> {
  const { worker, results } = env;
  const hasher = createFileHasher();
  let selection: readonly SelectedSource[] | undefined;
  const select = async (): Promise<readonly SelectedSource[]> => {
    const { directories } = await results.snapshot(result);
    return (selection ??= selectFiles(openLayeredTree(directories, worker.flavour), options));
  };
  const compute = async (): Promise<Digest> => digestSelection(await select(), { hasher, owner: 'keep' });
  const content = await results.contentDigest(result, canonicalJson(options), compute);
  return { content, select, hasher, owner: 'keep' };
}
