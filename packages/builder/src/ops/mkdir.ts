import type { ResultId } from '@tbuild/cache';
import type { MkdirOp } from '@tbuild/graph';
import { canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import { createTreeWriter, openLayeredTree } from '@tbuild/snapshot';
import type { Op } from '@tbuild/solver';
import { makeDirectory } from '../copy/index.ts';
import { mkdirParts } from './key-parts.ts';
import type { StepContext } from './op-environment.ts';
import { ownerIn } from './owner.ts';
import { prepareOn } from './prepare-on.ts';

/** WORKDIR: the same base and path always give the same tree, so the key is the result. */
export function mkdirOp(op: MkdirOp, context: StepContext): Op<ResultId> {
  const { worker } = context;
  return {
    async prepare({ base }) {
      const key = digestOf(canonicalJson({ op, base: base?.result, epoch: context.epoch }));
      const run = async (): Promise<ResultId> => {
        await using active = await prepareOn(base?.result, context);
        const tree = openLayeredTree([...active.lowers, active.upper], worker.flavour);
        const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour: worker.flavour });
        makeDirectory(writer, tree, op, ownerIn(tree, op.user, base), context.dockerfileTime);
        writer.finish();
        await active.commit(hexOf(key));
        return key;
      };
      return {
        key,
        run,
        canGive: (result) => result === key,
        parts: async () => mkdirParts(op, { base: base?.result, epoch: context.epoch }),
      };
    },
  };
}
