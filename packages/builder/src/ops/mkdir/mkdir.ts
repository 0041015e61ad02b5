import { makeDirectory } from '@tbuild/copy';
import type { MkdirOp, ResultId, Step } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import { createTreeWriter, openLayeredTree } from '@tbuild/snapshot';
import type { Op } from '@tbuild/solver';
import { mkdirParts } from '../copy/key-parts.ts';
import { ownerIn } from '../copy/owner.ts';
import { keyOf } from '../key-of.ts';
import type { OutputTimes } from '../output-times.ts';
import { isKeyedResult, keyedResult } from '../run-result.ts';
import { gatherTrees, prepareOn, type Trees } from '../trees.ts';

/** What WORKDIR uses. */
export type MkdirPorts = Trees & OutputTimes;

/**
 * Creates the op of WORKDIR. The same path on the same base gives the same tree, except for times, so the key is
 * usually the result.
 */
export function mkdirOp(op: MkdirOp, step: Step, ports: MkdirPorts): Op<ResultId> {
  const { flavour, epoch, dockerfileTime } = ports;
  return {
    async prepare({ base }) {
      const key = keyOf({ op, base: base?.result, epoch });
      const run = async (): Promise<ResultId> => {
        await using active = await prepareOn(base?.result, ports);
        const tree = openLayeredTree([...active.lowers, active.upper], flavour);
        const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour });
        makeDirectory(writer, op, { owner: ownerIn(tree, op.user, base), now: dockerfileTime });
        writer.finish();
        const result = keyedResult(key, step);
        await active.commit(hexOf(result));
        return result;
      };
      return {
        key,
        gather: () => gatherTrees([base?.result], ports),
        run,
        canGive: (result) => isKeyedResult(key, result),
        parts: async () => mkdirParts(op, { base: base?.result, epoch }),
      };
    },
  };
}
