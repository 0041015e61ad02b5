import { type ImageOp, resultId, type ResultId } from '@tbuild/graph';
import { chainId } from '@tbuild/oci';
import type { Op } from '@tbuild/solver';
import { baseLayers, imageProvider } from '@tbuild/sources';
import { keyOf } from '../key-of.ts';
import type { StepContext } from '../op-environment.ts';
import { extractImage } from './extract-image.ts';

/**
 * Creates the op of FROM. Its result is the chain ID of the image's layers, which are fetched and extracted only if
 * another step needs the tree.
 */
export function imageOp(op: ImageOp, context: StepContext): Op<ResultId> {
  const { services, results } = context;
  return {
    async prepare(_inputs, signal) {
      const chain = chainId(op.diffIds);
      if (chain === undefined) throw new Error(`Image ${op.reference} has no layers, so it cannot be a step`);
      const result = resultId(chain);
      results.addImage(result, async () => {
        const open = () => imageProvider(op.source, op.reference, services);
        return extractImage({ chain: result, layers: baseLayers(op, services), open }, context, signal);
      });
      return { key: keyOf({ image: chain }), run: async () => result };
    },
  };
}
