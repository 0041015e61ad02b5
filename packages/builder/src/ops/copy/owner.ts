import type { FileTree } from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import { resolveOwner } from '@tbuild/executor';

/** Matches owners that need no layer: numbers and `root`. */
const WITHOUT_NAMES = /^(?:root|\d*)(?::(?:root|\d*))?$/;

/** Returns whether an owner is given by numbers, so that no file is read to resolve it. */
export function isNumeric(spec: string): boolean {
  return /^\d+:\d+$/.test(spec);
}

/**
 * Resolves the owner of files in a step's tree, see `resolveOwner`. As in BuildKit, a name fails if there is no layer
 * to look it up in.
 * @throws TbuildError DOCKERFILE_SEMANTICS for a name on scratch.
 */
export function ownerIn(tree: FileTree, spec: string, base: unknown): ReturnType<typeof resolveOwner> {
  if (base === undefined && !WITHOUT_NAMES.test(spec)) {
    throw new TbuildError(
      'DOCKERFILE_SEMANTICS',
      `User ${JSON.stringify(spec)} cannot be looked up in a stage without files (invalid user index: -1)`,
      {
        hint: 'Use numbers on scratch, for example --chown=1000:1000',
      },
    );
  }
  return resolveOwner(tree, spec);
}
