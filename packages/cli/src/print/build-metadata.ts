import type { BuildResult } from '@tbuild/builder';
import { isIndexType } from '@tbuild/oci';

/** Returns the document of `--metadata-file`, with the keys of buildx. */
export function buildMetadata({ images, manifest, names }: BuildResult): Readonly<Record<string, unknown>> {
  const [only] = images;
  const platform = images.length === 1 && !isIndexType(manifest?.mediaType ?? '') ? only?.platform : undefined;
  return {
    ...(images.length === 1 && only !== undefined ? { 'containerimage.config.digest': only.config } : {}),
    ...(manifest === undefined
      ? {}
      : {
          'containerimage.descriptor': { ...manifest, ...(platform === undefined ? {} : { platform }) },
          'containerimage.digest': manifest.digest,
        }),
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}
