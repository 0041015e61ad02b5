import { type ImageOp, resultId, type ResultId, type Step } from '@tbuild/graph';
import { chainId } from '@tbuild/oci';
import type { Op } from '@tbuild/solver';
import { baseLayers, imageProvider, type ImageSources } from '@tbuild/sources';
import { keyOf } from '../key-of.ts';
import type { Trees } from '../trees.ts';
import { extractImage, type ExtractPorts } from './extract-image.ts';

/** What FROM uses. */
export type ImagePorts = ExtractPorts & Pick<Trees, 'results'> & Pick<ImageSources, 'content' | 'openRepository'>;

/**
 * Creates the op of FROM. Its result is the chain ID of the image's layers, which are fetched and extracted only if
 * another step needs the tree.
 */
export function imageOp(op: ImageOp, step: Step, ports: ImagePorts): Op<ResultId> {
  return {
    async prepare() {
      const chain = chainId(op.diffIds);
      if (chain === undefined) throw new Error(`Image ${op.reference} has no layers, so it cannot be a step`);
      const result = resultId(chain);
      ports.results.addImage(result, (signal) => {
        const open = () => imageProvider(op, ports);
        return extractImage({ step, chain: result, layers: baseLayers(op, ports), open }, ports, signal);
      });
      return { key: keyOf({ image: chain }), run: async () => result };
    },
  };
}
