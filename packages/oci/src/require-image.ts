import { TbuildError } from '@tbuild/errors';
import type { Manifest } from './manifest.ts';
import { MediaType } from './media-types.ts';

/** The second is what some old tools wrote. */
const CONFIGS: readonly string[] = [MediaType.config, MediaType.dockerConfig, 'application/octet-stream'];

/**
 * Registries hold other things than images: charts, signatures, policies. `name` is what messages call it.
 * @throws TbuildError UNSUPPORTED when the manifest is one of those.
 */
export function requireImage(manifest: Manifest, name: string): void {
  if (isImage(manifest)) return;
  const { config, artifactType } = manifest;
  const type = artifactType ?? config.mediaType;
  throw new TbuildError('UNSUPPORTED', `${JSON.stringify(name)} is no image but something of the type ${type}`);
}

/** Reports whether a manifest is that of an image. */
export function isImage({ config, artifactType }: Manifest): boolean {
  return CONFIGS.includes(config.mediaType) && artifactType === undefined;
}
