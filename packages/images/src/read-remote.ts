import { readWhole } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { REFERENCE_DIGEST } from '@tbuild/exporter';
import {
  formatPlatform,
  isIndex,
  parseImageConfig,
  parseManifest,
  type Descriptor,
  type Index,
  type Manifest,
  type Reference,
} from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';
import type { Registries } from './places.ts';

/** The document that a name points to in a registry. */
export interface RemoteDocument {
  readonly root: Descriptor;
  /** The bytes as the registry sent them. */
  readonly bytes: Uint8Array;
  readonly document: Manifest | Index;
  readonly repository: Repository;
}

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

/**
 * Reads the document that a name points to.
 * @throws RegistryError; TbuildError REGISTRY for a document that is not an image.
 */
export async function readRemote(
  reference: Reference,
  registries: Registries,
  signal: AbortSignal,
): Promise<RemoteDocument> {
  const repository = await registries.openRepository(reference);
  const root = await repository.resolve(reference.digest ?? reference.tag ?? 'latest', signal);
  const bytes = await repository.readManifest(root, signal);
  return { root, bytes, document: parseManifest(bytes, root.mediaType), repository };
}

/** Returns the images of a document, with their configurations and attestations. */
export async function readRemoteImages(
  { root, document, repository }: RemoteDocument,
  signal: AbortSignal,
): Promise<readonly RemoteImage[]> {
  const manifests = isIndex(document) ? document.manifests : [root];
  const images: RemoteImage[] = [];
  for (const manifest of manifests.filter(({ platform }) => platform?.os !== 'unknown')) {
    const { config } = await readManifest(manifest, repository, signal);
    const bytes = await readWhole(repository, config, signal);
    const about = manifests.filter(({ annotations }) => annotations?.[REFERENCE_DIGEST] === manifest.digest);
    images.push({
      platform: formatPlatform(manifest.platform ?? parseImageConfig(bytes).platform),
      config: parseJson(bytes, config),
      statements: (await Promise.all(about.map((one) => readStatements(one, repository, signal)))).flat(),
    });
  }
  return images;
}

async function readStatements(
  target: Descriptor,
  repository: Repository,
  signal: AbortSignal,
): Promise<readonly RemoteStatement[]> {
  const { layers } = await readManifest(target, repository, signal);
  const statements: RemoteStatement[] = [];
  for (const layer of layers.filter(({ mediaType }) => mediaType === 'application/vnd.in-toto+json')) {
    const statement = parseJson(await readWhole(repository, layer, signal), layer);
    if (typeof statement !== 'object' || statement === null) continue;
    const { predicateType, predicate }: Partial<RemoteStatement> = statement;
    if (typeof predicateType === 'string') statements.push({ predicateType, predicate });
  }
  return statements;
}

async function readManifest(target: Descriptor, repository: Repository, signal: AbortSignal): Promise<Manifest> {
  const document = parseManifest(await repository.readManifest(target, signal), target.mediaType);
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
