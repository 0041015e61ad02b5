import { isDamage } from './is-damage.ts';
import type { ReadImage } from './read-image.ts';
import { newestTime } from './read-layer.ts';

/** The annotation that BuildKit and tbuild give to a layer whose times were rewritten. */
const REWRITTEN = 'buildkit/rewritten-timestamp';

/** Returns the time to which layers of an image say that they were rewritten, in seconds since 1970. */
export function rewrittenTime({ manifest }: ReadImage): string | undefined {
  return manifest.layers.map(({ annotations }) => annotations?.[REWRITTEN]).find((one) => one !== undefined);
}

/**
 * Decides whether the layers of a build with `SOURCE_DATE_EPOCH` were rewritten to it. Docker's media types and tools that
 * copy images lose the annotations; then no file in the layers of that time is later. A damaged layer says nothing.
 */
export async function wasRewritten(image: ReadImage, epoch: number, signal: AbortSignal): Promise<boolean> {
  if (rewrittenTime(image) !== undefined) return true;
  const history = image.config.history.filter(({ empty_layer }) => empty_layer !== true);
  for (const [at, layer] of image.manifest.layers.entries()) {
    if (Date.parse(history[at]?.created ?? '') !== epoch * 1000) continue;
    try {
      if ((await newestTime(layer, image.content, signal)) > epoch) return false;
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return true;
}
