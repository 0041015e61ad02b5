import type { ResultId } from '@tbuild/cache';
import { canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import type { Op } from '@tbuild/solver';
import { gatherTrees } from '../gather-trees.ts';
import type { StepContext } from '../op-environment.ts';

/** `--link`: the layer of the source put on the base; nothing is copied. */
export function stackOp(context: StepContext): Op<ResultId> {
  const { services, results } = context;
  return {
    async prepare({ base, sources }) {
      const top = sources[0];
      if (top === undefined) throw new Error('A stack step has no source');
      const key = digestOf(canonicalJson({ stack: [base?.result, top.result] }));
      const run = async (): Promise<ResultId> => {
        await services.snapshots.compose(hexOf(key), {
          base: base === undefined ? undefined : hexOf(base.result),
          tops: [hexOf(top.result)],
        });
        results.saveLayer(key, await results.layer(top.result));
        return key;
      };
      return {
        key,
        gather: () => gatherTrees([top.result, base?.result], context),
        run,
        canGive: (result) => result === key,
      };
    },
  };
}
