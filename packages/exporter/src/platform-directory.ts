import { TbuildError } from '@tbuild/errors';
import { formatPlatform } from '@tbuild/oci';
import type { ExportedImage } from './exporter.ts';

/** One image and the directory that its files are put under; undefined for the place itself. */
export interface PlatformPart extends Pick<ExportedImage, 'openRootfs'> {
  readonly under?: string;
}

/**
 * The images of a result with a directory for each platform, such as `linux_arm_v7`: when there are several
 * unless `split` says otherwise.
 * @throws TbuildError UNSUPPORTED for several without directories: their files would replace each other.
 */
export function partsOf(images: readonly ExportedImage[], split = images.length > 1): readonly PlatformPart[] {
  if (split)
    return images.map(({ image, openRootfs }) => ({
      openRootfs,
      under: formatPlatform(image.platform).replaceAll('/', '_'),
    }));
  if (images.length > 1) {
    throw new TbuildError('UNSUPPORTED', `The files of ${images.length} platforms cannot share a directory`, {
      hint: 'Leave out platform-split=false',
    });
  }
  return images;
}
