import { readWhole, type Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import {
  formatPlatform,
  isIndex,
  parseImageConfig,
  parseJson,
  parseManifest,
  type Descriptor,
  type Manifest,
} from '@tbuild/oci';
import type { PlacedDocument } from './image-place.ts';
import { readStatements, type Statement } from './read-statements.ts';

/** One image of a remote document, with its documents parsed. */
export interface RemoteImage {
  /** Such as `linux/amd64`. */
  readonly platform: string;
  readonly config: unknown;
  /** Attestations of the image: in-toto statements. */
  readonly statements: readonly Statement[];
}

/** Returns the images of a document, with their configurations and attestations. */
export async function readRemoteImages(
  { root, document, provider }: PlacedDocument,
  signal: AbortSignal,
): Promise<readonly RemoteImage[]> {
  const manifests = isIndex(document) ? document.manifests : [root];
  const images: RemoteImage[] = [];
  for (const manifest of manifests.filter(({ platform }) => platform?.os !== 'unknown')) {
    const { config } = await readManifest(manifest, provider, signal);
    const bytes = await readWhole(provider, config, signal);
    images.push({
      platform: formatPlatform(manifest.platform ?? parseImageConfig(bytes).platform),
      config: configOf(bytes, config),
      statements: await readStatements(manifest, manifests, { content: provider, signal }),
    });
  }
  return images;
}

async function readManifest(target: Descriptor, provider: Provider, signal: AbortSignal): Promise<Manifest> {
  const document = parseManifest(await readWhole(provider, target, signal), target.mediaType);
  if (!isIndex(document)) return document;
  throw new TbuildError('REGISTRY', `Index ${target.digest} is nested in another index`);
}

function configOf(bytes: Uint8Array, { digest }: Descriptor): unknown {
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw new TbuildError('REGISTRY', `Document ${digest} is not valid JSON`, { cause });
  }
}
