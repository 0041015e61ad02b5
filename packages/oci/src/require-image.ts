import { TbuildError } from '@tbuild/errors';
import type { Manifest } from './manifest.ts';
import { MediaType } from './media-types.ts';

/** The second type is from some old tools. */
const CONFIGS: readonly string[] = [MediaType.config, MediaType.dockerConfig, 'application/octet-stream'];

/**
 * Refuses other artifacts that registries hold, such as charts, signatures and policies. Messages use `name`.
 * @throws TbuildError UNSUPPORTED if the manifest is not that of an image.
 */
export function requireImage(manifest: Manifest, name: string): void {
  if (isImage(manifest)) return;
  const { config, artifactType } = manifest;
  const type = artifactType ?? config.mediaType;
  throw new TbuildError('UNSUPPORTED', `${JSON.stringify(name)} is not an image: its type is ${type}`);
}

/** Returns whether a manifest belongs to an image. */
export function isImage({ config, artifactType }: Manifest): boolean {
  return CONFIGS.includes(config.mediaType) && artifactType === undefined;
}
