import { resultId, type ResultId } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import type { Op } from '@tbuild/solver';
import { keyOf } from '../key-of.ts';
import { gatherTrees, type Trees } from '../trees.ts';

/** What `--link` uses. */
export type StackPorts = Pick<Trees, 'snapshots' | 'results'>;

/** Creates the op of `--link`: puts the layer of the source on the base without copying. */
export function stackOp({ snapshots, results }: StackPorts): Op<ResultId> {
  return {
    async prepare({ base, sources }) {
      const top = sources[0];
      if (top === undefined) throw new Error('Expected a source for the stack step');
      const key = keyOf({ stack: [base?.result, top.result] });
      const result = resultId(key);
      const run = async (): Promise<ResultId> => {
        await snapshots.compose(hexOf(key), {
          base: base === undefined ? undefined : hexOf(base.result),
          tops: [hexOf(top.result)],
        });
        results.saveLayer(result, await results.layer(top.result));
        return result;
      };
      return {
        key,
        gather: () => gatherTrees([top.result, base?.result], { results }),
        run,
        canGive: (given) => given === result,
      };
    },
  };
}
