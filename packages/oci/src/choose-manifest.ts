import { TbuildError } from '@tbuild/errors';
import type { Descriptor } from './descriptor.ts';
import type { Index } from './manifest.ts';
import { formatPlatform, selectPlatform, type Platform } from './platform.ts';

/** The maximum number of nested indexes above an image. */
export const MOST_INDEXES = 4;

/**
 * Returns the manifest of an index for a platform, or the only image of an index without platforms. Manifests for an
 * unknown platform are attestations and never chosen.
 * @throws TbuildError NOT_FOUND with the available platforms; messages call the image `image`.
 */
export function chooseManifest({ manifests }: Index, image: string, platform: Platform): Descriptor {
  const images = manifests.filter(({ platform: own }) => own?.os !== 'unknown');
  const only = images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined;
  const chosen = selectPlatform(images, (manifest) => manifest.platform, platform) ?? only;
  if (chosen !== undefined) return chosen;
  const offered = images.flatMap((manifest) =>
    manifest.platform === undefined ? [] : [formatPlatform(manifest.platform)],
  );
  const message = `Image ${JSON.stringify(image)} has no variant for ${formatPlatform(platform)}: no match for platform in manifest`;
  throw new TbuildError('NOT_FOUND', message, {
    hint:
      offered.length === 0
        ? 'Choose another image: it names no platforms'
        : `Choose one of its platforms: ${offered.join(', ')}`,
  });
}
