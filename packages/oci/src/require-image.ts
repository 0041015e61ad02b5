import { TbuildError } from '@tbuild/errors';
import type { Manifest } from './manifest.ts';
import { MediaType } from './media-types.ts';

/** The second is what some old tools wrote. */
const CONFIGS: readonly string[] = [MediaType.config, MediaType.dockerConfig, 'application/octet-stream'];

/**
 * Registries hold other things than images: charts, signatures, policies. `name` is what messages call it.
 * @throws TbuildError UNSUPPORTED when the manifest is one of those.
 */
export function requireImage({ config, artifactType }: Manifest, name: string): void {
  if (CONFIGS.includes(config.mediaType) && artifactType === undefined) return;
  const type = artifactType ?? config.mediaType;
  throw new TbuildError('UNSUPPORTED', `${JSON.stringify(name)} is no image but something of the type ${type}`);
}
