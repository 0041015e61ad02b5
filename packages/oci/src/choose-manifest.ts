import { TbuildError } from '@tbuild/errors';
import type { Descriptor } from './descriptor.ts';
import type { Index } from './manifest.ts';
import { formatPlatform, selectPlatform, type Platform } from './platform.ts';

/** How many indexes there may be above an image. */
export const MOST_INDEXES = 4;

/**
 * The manifest of an index for a platform; the only image of an index that names no platforms. What is for an unknown
 * platform is no image but says something about one.
 * @throws TbuildError NOT_FOUND with the platforms that there are; `image` is what messages call it.
 */
export function chooseManifest({ manifests }: Index, image: string, platform: Platform): Descriptor {
  const images = manifests.filter(({ platform: own }) => own?.os !== 'unknown');
  const only = images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined;
  const chosen = selectPlatform(images, (manifest) => manifest.platform, platform) ?? only;
  if (chosen !== undefined) return chosen;
  const offered = images.flatMap((manifest) =>
    manifest.platform === undefined ? [] : [formatPlatform(manifest.platform)],
  );
  throw new TbuildError('NOT_FOUND', `Image ${JSON.stringify(image)} has no variant for ${formatPlatform(platform)}`, {
    hint: offered.length === 0 ? 'It has no platforms at all' : `It has ${offered.join(', ')}`,
  });
}
