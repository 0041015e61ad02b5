import { readWhole, type Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { REFERENCE_DIGEST } from '@tbuild/exporter';
import { formatPlatform, isIndex, parseImageConfig, parseManifest, type Descriptor, type Manifest } from '@tbuild/oci';
import type { PlacedDocument } from './image-place.ts';

/** One image of a remote document, with its documents parsed. */
export interface RemoteImage {
  /** Such as `linux/amd64`. */
  readonly platform: string;
  readonly config: unknown;
  /** Attestations of the image: in-toto statements. */
  readonly statements: readonly RemoteStatement[];
}

export interface RemoteStatement {
  readonly predicateType: string;
  readonly predicate: unknown;
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
    const about = manifests.filter(({ annotations }) => annotations?.[REFERENCE_DIGEST] === manifest.digest);
    images.push({
      platform: formatPlatform(manifest.platform ?? parseImageConfig(bytes).platform),
      config: parseJson(bytes, config),
      statements: (await Promise.all(about.map((one) => readStatements(one, provider, signal)))).flat(),
    });
  }
  return images;
}

async function readStatements(
  target: Descriptor,
  provider: Provider,
  signal: AbortSignal,
): Promise<readonly RemoteStatement[]> {
  const { layers } = await readManifest(target, provider, signal);
  const statements: RemoteStatement[] = [];
  for (const layer of layers.filter(({ mediaType }) => mediaType === 'application/vnd.in-toto+json')) {
    const statement = parseJson(await readWhole(provider, layer, signal), layer);
    if (typeof statement !== 'object' || statement === null) continue;
    const { predicateType, predicate }: Partial<RemoteStatement> = statement;
    if (typeof predicateType === 'string') statements.push({ predicateType, predicate });
  }
  return statements;
}

async function readManifest(target: Descriptor, provider: Provider, signal: AbortSignal): Promise<Manifest> {
  const document = parseManifest(await readWhole(provider, target, signal), target.mediaType);
  if (!isIndex(document)) return document;
  throw new TbuildError('REGISTRY', `Index ${target.digest} is nested in another index`);
}

function parseJson(bytes: Uint8Array, { digest }: Descriptor): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new TbuildError('REGISTRY', `Document ${digest} is not valid JSON`, { cause });
  }
}
