import { fromBytes } from '@tbuild/content';
import { hasCode } from '@tbuild/errors';
import { packageUrl } from '@tbuild/exporter';
import {
  describeBytes,
  type Descriptor,
  EMPTY_DOCUMENT,
  encodeDocument,
  encodeIndex,
  goJson,
  goSecondsOf,
  hexOf,
  isIndex,
  MediaType,
  parseManifest,
  type Reference,
} from '@tbuild/oci';
import type { Repository } from '@tbuild/registry';

/** Who built an image again, with the same result. */
export interface Reproduction {
  readonly reference: Reference;
  /** The manifest of the image. */
  readonly image: Descriptor;
  /** The version of the program that did. */
  readonly version: string;
  /** In milliseconds since 1970. */
  readonly time: number;
}

/** SLSA's statement that somebody verified an artifact. */
const SUMMARY = 'https://slsa.dev/verification_summary/v1';

/** Returns the in-toto statement that an image was reproduced, for anybody to sign. */
export function reproducedStatement({ reference, image, version, time }: Reproduction): object {
  const digest = { sha256: hexOf(image.digest) };
  const name = packageUrl({ ...reference, digest: undefined });
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest }],
    predicateType: SUMMARY,
    predicate: {
      verifier: { id: 'tbuild verify', version: { tbuild: version } },
      timeVerified: goSecondsOf(time),
      resourceUri: name,
      policy: { uri: 'urn:tbuild:reproduced' },
      verificationResult: 'PASSED',
      verifiedLevels: ['REPRODUCED'],
      slsaVersion: '1.0',
    },
  };
}

/**
 * Pushes the statement beside its image, as a referrer of it. A registry that does not list referrers gets the tag that
 * stands for the list.
 * @throws RegistryError
 */
export async function pushReproduction(
  reproduction: Reproduction,
  repository: Repository,
  signal: AbortSignal,
): Promise<Descriptor> {
  const { mediaType, digest, size } = reproduction.image;
  const statement = describeBytes(MediaType.statement, Buffer.from(goJson(reproducedStatement(reproduction))));
  const config = EMPTY_DOCUMENT;
  const annotations = { 'in-toto.io/predicate-type': SUMMARY };
  const manifest = encodeDocument({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: MediaType.statement,
    config: { ...config.descriptor, data: Buffer.from(config.bytes).toString('base64') },
    layers: [{ ...statement.descriptor, annotations }],
    subject: { mediaType, digest, size },
    annotations,
  });
  for (const { bytes, descriptor } of [statement, config]) await repository.write(fromBytes(bytes), descriptor, signal);
  const { listedUnder } = await repository.pushManifest(
    { bytes: manifest.bytes, mediaType: MediaType.manifest },
    manifest.descriptor.digest,
    signal,
  );
  if (listedUnder === digest) return manifest.descriptor;
  const entry = { ...manifest.descriptor, artifactType: MediaType.statement, annotations };
  await listReferrer(entry, digest.replace(':', '-'), { repository, signal });
  return manifest.descriptor;
}

/** "Referrers Tag Schema" of the distribution specification. */
async function listReferrer(
  entry: Descriptor,
  tag: string,
  { repository, signal }: { readonly repository: Repository; readonly signal: AbortSignal },
): Promise<void> {
  const known = await referrers(tag, repository, signal);
  const { bytes, descriptor } = encodeIndex([...known.filter(({ digest }) => digest !== entry.digest), entry]);
  await repository.pushManifest({ bytes, mediaType: descriptor.mediaType }, tag, signal);
}

async function referrers(tag: string, repository: Repository, signal: AbortSignal): Promise<readonly Descriptor[]> {
  try {
    const root = await repository.resolve(tag, signal);
    const document = parseManifest(await repository.readManifest(root, signal), root.mediaType);
    return isIndex(document) ? document.manifests : [];
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return [];
    throw error;
  }
}
