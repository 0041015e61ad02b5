import { resolveDestination } from '@tbuild/context';
import type { MkdirOp } from '@tbuild/graph';
import type { Owner } from './copy-options.ts';
import { ensureDirectory, type Destination } from './destination.ts';

/**
 * Creates the directory of a WORKDIR and its missing parents with the given owner and time (milliseconds since the
 * epoch). Leaves existing directories unchanged. Does not finish the writer.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS if a path component is not a directory.
 */
export function makeDirectory(
  writer: Destination,
  { path, mode }: Pick<MkdirOp, 'path' | 'mode'>,
  { owner, now }: { readonly owner: Owner; readonly now: number },
): void {
  ensureDirectory(writer, resolveDestination(writer, path), { mode, owner, mtimeMs: now });
}
