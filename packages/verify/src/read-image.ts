import { readWhole, type Provider } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { REFERENCE_DIGEST } from '@tbuild/exporter';
import {
  chooseManifest,
  isIndex,
  MOST_INDEXES,
  parseImageConfig,
  parseManifest,
  requireImage,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Index,
  type Manifest,
  type Platform,
} from '@tbuild/oci';

/** Where an image is read: its root document, and what serves its blobs. */
export interface ImagePlace {
  /** For messages. */
  readonly name: string;
  readonly root: Descriptor;
  readonly content: Provider;
}

/** An image to compare. Its layers are read when they are compared. */
export interface ReadImage extends ImagePlace {
  /** The digest of its configuration. */
  readonly id: Digest;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly statements: readonly Statement[];
}

/** An in-toto statement about an image. */
export interface Statement {
  readonly predicateType: string;
  readonly predicate: unknown;
}

/**
 * Reads the documents of an image: that of an index for the platform.
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH, REGISTRY.
 */
export async function readImage(place: ImagePlace, platform: Platform, signal: AbortSignal): Promise<ReadImage> {
  const { content, name } = place;
  let descriptor = place.root;
  let index: Index | undefined;
  for (let depth = 0; depth <= MOST_INDEXES; depth++) {
    const document = parseManifest(await readWhole(content, descriptor, signal), descriptor.mediaType);
    if (isIndex(document)) {
      index = document;
      descriptor = chooseManifest(document, name, platform);
      continue;
    }
    requireImage(document, name);
    const configBytes = await readWhole(content, document.config, signal);
    return {
      ...place,
      id: document.config.digest,
      descriptor,
      manifest: document,
      config: parseImageConfig(configBytes),
      configBytes,
      statements: index === undefined ? [] : await statementsAbout(descriptor, index, { content, signal }),
    };
  }
  throw new TbuildError('REGISTRY', `Image ${JSON.stringify(name)} has too many nested indexes`);
}

const STATEMENT = 'application/vnd.in-toto+json';
/** The limit of BuildKit for one attestation. */
const LARGEST_STATEMENT = 40 << 20;

async function statementsAbout(
  image: Descriptor,
  { manifests }: Index,
  { content, signal }: { readonly content: Provider; readonly signal: AbortSignal },
): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  for (const entry of manifests.filter(({ annotations }) => annotations?.[REFERENCE_DIGEST] === image.digest)) {
    const document = parseManifest(await readWhole(content, entry, signal), entry.mediaType);
    if (isIndex(document)) continue;
    for (const layer of document.layers.filter(({ mediaType }) => mediaType === STATEMENT)) {
      if (layer.size > LARGEST_STATEMENT)
        throw new TbuildError('REGISTRY', `Attestation ${layer.digest} has ${layer.size} bytes, which is too large`);
      statements.push(...parseStatement(await readWhole(content, layer, signal)));
    }
  }
  return statements;
}

/** Returns nothing for a document that is no statement. */
function parseStatement(bytes: Uint8Array): readonly Statement[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { predicateType, predicate }: Partial<Statement> = value;
  return typeof predicateType === 'string' ? [{ predicateType, predicate }] : [];
}
