import { existsSync } from 'node:fs';
import { type EarlierCopy, isRemembered, openEarlierCopy, rememberCopy } from '@tbuild/copy';
import type { CopyOp, CopySelection, ResultId } from '@tbuild/graph';
import { isLargeCopy } from '@tbuild/layers';
import { canonicalJson } from '@tbuild/oci';
import type { StoreLayout } from '@tbuild/store';
import { type FileInput, sizeOf } from './file-input.ts';

/** The previous copy of the same instruction onto the same base. */
export interface CopyMemory {
  readonly earlier?: EarlierCopy;
  remember(result: ResultId): void;
}

/** A copy from one source in a context. */
export interface RememberedCopy {
  /** A copy that makes a tree can share files only with a tree. */
  readonly makes: 'layer' | 'tree';
  readonly op: CopyOp;
  readonly selection: CopySelection;
  readonly input: Pick<FileInput, 'select' | 'hasher' | 'owner'>;
  readonly base: ResultId | undefined;
}

/** Opens the memory of a copy, if it is large or shares files with the next one. */
export async function openCopyMemory(
  copy: RememberedCopy,
  store: Pick<StoreLayout, 'copyMemo'>,
): Promise<CopyMemory | undefined> {
  const { selection, input } = copy;
  if (selection.unpack || input.owner === 'keep') return undefined;
  const sources = await input.select();
  const note = noteOf(copy, store);
  if (!isRemembered(sources))
    return isLargeCopy(sizeOf(sources))
      ? { remember: (result) => rememberCopy(note, { result, selection: [], hasher: input.hasher }) }
      : undefined;
  return {
    earlier: openEarlierCopy(note, sources, input.hasher),
    remember: (result) => rememberCopy(note, { result, selection: sources, hasher: input.hasher }),
  };
}

/** Returns whether a copy of this instruction onto this base is remembered. */
export function wasDoneBefore(
  { op, base }: Pick<RememberedCopy, 'op' | 'base'>,
  store: Pick<StoreLayout, 'copyMemo'>,
): boolean {
  return (['layer', 'tree'] as const).some((makes) => existsSync(noteOf({ op, base, makes }, store)));
}

function noteOf(
  { op, base, makes }: Pick<RememberedCopy, 'op' | 'base' | 'makes'>,
  { copyMemo }: Pick<StoreLayout, 'copyMemo'>,
): string {
  return copyMemo(canonicalJson({ op, base, makes }));
}
