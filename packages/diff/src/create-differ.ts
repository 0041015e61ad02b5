import { runCooperatively } from '@tbuild/concurrency';
import type { ContentStore } from '@tbuild/content';
import { MediaType } from '@tbuild/oci';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { Differ } from './differ.ts';
import { extractLayer } from './extract-layer.ts';
import { packLayer } from './pack-layer.ts';
import type { UnpackLimits } from './unpack-guard.ts';

export interface DifferOptions {
  /** Stores the packed layers. */
  readonly content: Pick<ContentStore, 'createWriter'>;
  readonly flavour: OverlayFlavour;
  /** What extracting a layer may take. Default: anything. */
  readonly limits?: UnpackLimits;
}

/** Creates a {@link Differ} for directories in overlay's format. */
export function createDiffer({ content, flavour, limits }: DifferOptions): Differ {
  return {
    async pack(upper, lowers, signal) {
      using writer = content.createWriter();
      await runCooperatively(
        packLayer({ upper, lowers, flavour }, (bytes) => writer.write(bytes)),
        signal,
      );
      const { digest, size } = writer.commit();
      return { descriptor: { mediaType: MediaType.layer, digest, size }, diffId: digest };
    },
    extract: async (layer, target, options) => extractLayer({ layer, target, flavour, limits, ...options }),
  };
}
