import type { ResultId } from '@tbuild/cache';
import type { SelectedSource } from '@tbuild/context';
import { createLayerWriter, NotInOrder } from '@tbuild/diff';
import { inTurns } from '@tbuild/linux';
import type { CopyOp, CopySelection } from '@tbuild/graph';
import { openLayeredTree } from '@tbuild/snapshot';
import { copyFiles } from '../copy/index.ts';
import type { CopyOptions, Owner } from '../copy/copy-options.ts';
import type { FileInput } from './file-input.ts';
import type { StepContext } from './op-environment.ts';
import { ownerIn } from './owner.ts';

/** The part of a copy that reads files of a context or of a step. */
export interface CopyFrom {
  readonly op: CopyOp;
  readonly selection: CopySelection;
  readonly input: FileInput;
  readonly base: ResultId | undefined;
}

/**
 * Writes the layer of a copy without making its tree, which takes half the time and no place. False when it has to be
 * the tree: files that do not come in the order of an archive, hard links, a file that is changing.
 */
export async function copyToLayer(
  key: ResultId,
  { op, selection, input, base }: CopyFrom,
  context: StepContext & { readonly signal: AbortSignal },
): Promise<boolean> {
  const { worker, results, epoch, signal } = context;
  if (selection.unpack) return false;
  const lowers = base === undefined ? [] : (await results.snapshot(base)).directories;
  const tree = openLayeredTree(lowers, worker.flavour);
  const owner = op.chown === undefined ? undefined : ownerIn(tree, op.chown, base);
  const sources = await selectFrom(selection, input, context);
  using writer = createLayerWriter({ content: worker.content, lowers, flavour: worker.flavour });
  try {
    const placement = placementOf(sources, input, owner, epoch);
    await inTurns(copyFiles(sources, writer, writer, { ...op, ...selection }, placement), signal);
    writer.finish();
  } catch (error) {
    if (error instanceof NotInOrder) return false;
    throw error;
  }
  results.saveLayer(key, { ...writer.commit(), parent: base ?? null });
  return true;
}

/** What is to be copied; tells of what was taken from a context. */
export async function selectFrom(
  { from }: CopySelection,
  input: FileInput,
  { contexts }: StepContext,
): Promise<readonly SelectedSource[]> {
  const sources = await input.select();
  if (from.kind === 'context') contexts.onCopied(from.name, sources);
  return sources;
}

export function placementOf(
  sources: readonly SelectedSource[],
  { hasher }: FileInput,
  owner: Owner | undefined,
  epoch: number | undefined,
): CopyOptions {
  return { owner, now: epoch ?? newestOf(sources), fixedTime: epoch, hasher };
}

/** Directories that no source stands for take the time of the newest source: the same input gives the same bytes. */
function newestOf(sources: readonly SelectedSource[]): number {
  return sources.reduce((newest, { entry }) => Math.max(newest, entry.stats.mtimeMs), 0);
}
