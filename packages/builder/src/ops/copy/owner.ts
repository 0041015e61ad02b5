import type { FileTree } from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import { resolveOwner } from '@tbuild/executor';

/** Numbers and `root` need no files to be looked up in. */
const WITHOUT_NAMES = /^(?:root|\d*)(?::(?:root|\d*))?$/;

/**
 * Who files belong to in a step's tree, see `resolveOwner`; with no layer below there is nothing to look a
 * name up in, which Docker's builder refuses.
 * @throws TbuildError DOCKERFILE_SEMANTICS for a name on scratch.
 */
export function ownerIn(tree: FileTree, spec: string, base: unknown): ReturnType<typeof resolveOwner> {
  if (base === undefined && !WITHOUT_NAMES.test(spec)) {
    throw new TbuildError(
      'DOCKERFILE_SEMANTICS',
      `User ${JSON.stringify(spec)} cannot be looked up: the stage has no files yet (invalid user index: -1)`,
      {
        hint: 'Use numbers on scratch, for example --chown=1000:1000',
      },
    );
  }
  return resolveOwner(tree, spec);
}
