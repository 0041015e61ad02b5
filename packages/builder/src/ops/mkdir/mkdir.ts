import { makeDirectory } from '@tbuild/copy';
import type { MkdirOp, ResultId } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import { createTreeWriter, openLayeredTree } from '@tbuild/snapshot';
import type { Op } from '@tbuild/solver';
import { mkdirParts } from '../copy/key-parts.ts';
import { ownerIn } from '../copy/owner.ts';
import { gatherTrees } from '../gather-trees.ts';
import { keyOf } from '../key-of.ts';
import type { StepContext } from '../op-environment.ts';
import { prepareOn } from '../prepare-on.ts';
import { isKeyedResult, keyedResult } from '../run-result.ts';

/**
 * Creates the op of WORKDIR. The same path on the same base gives the same tree, except for times, so the key is
 * usually the result.
 */
export function mkdirOp(op: MkdirOp, context: StepContext): Op<ResultId> {
  const { services } = context;
  return {
    async prepare({ base }) {
      const key = keyOf({ op, base: base?.result, epoch: context.epoch });
      const run = async (): Promise<ResultId> => {
        await using active = await prepareOn(base?.result, context);
        const tree = openLayeredTree([...active.lowers, active.upper], services.flavour);
        const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour: services.flavour });
        makeDirectory(writer, tree, op, ownerIn(tree, op.user, base), context.dockerfileTime);
        writer.finish();
        const result = keyedResult(key, context.step);
        await active.commit(hexOf(result));
        return result;
      };
      return {
        key,
        gather: () => gatherTrees([base?.result], context),
        run,
        canGive: (result) => isKeyedResult(key, result),
        parts: async () => mkdirParts(op, { base: base?.result, epoch: context.epoch }),
      };
    },
  };
}
