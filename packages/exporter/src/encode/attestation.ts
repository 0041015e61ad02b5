import {
  describeBytes,
  type Descriptor,
  EMPTY_DOCUMENT,
  type EncodedDocument,
  encodeDocument,
  formatPlatform,
  goJson,
  hexOf,
  MediaType,
  type Platform,
  type Reference,
} from '@tbuild/oci';

/** An attestation of an image: an in-toto predicate, such as how it was built or what it holds. */
export interface Attestation {
  /** A URI, e.g. `https://slsa.dev/provenance/v1`. */
  readonly predicateType: string;
  readonly predicate: object;
  /** The name of its file beside a local tree, e.g. `provenance.json`. */
  readonly filename: string;
  /** Its subjects, when they are not the image. */
  readonly subject?: readonly Subject[];
  /** It has no file beside a local tree. */
  readonly inlineOnly?: boolean;
}

/** Returns whether an image has attestations. */
export function isAttested(images: readonly { readonly attestations?: readonly Attestation[] }[]): boolean {
  return images.some(({ attestations = [] }) => attestations.length > 0);
}

/** A subject of a statement. */
export interface Subject {
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
}

/** The manifest that carries the attestations of an image, and the blobs that it refers to. */
export interface EncodedAttestations {
  readonly manifest: EncodedDocument;
  readonly blobs: readonly EncodedDocument[];
}

/** Returns the document of an attestation ("in-toto Statement"). */
export function statementOf(
  { predicateType, predicate, subject: own }: Attestation,
  subject: readonly Subject[],
): object {
  return { _type: 'https://in-toto.io/Statement/v1', predicateType, subject: own ?? subject, predicate };
}

/** Returns an image as a subject under each of its names as a package URL. As in BuildKit one without names has none. */
function imageSubjects({ digest }: Descriptor, names: readonly Reference[], platform: Platform): readonly Subject[] {
  return names.map((name) => ({ name: packageUrl(name, { platform }), digest: { sha256: hexOf(digest) } }));
}

/** The parts of a package URL besides the image's name. */
export interface PackageUrlOptions {
  readonly platform?: Platform;
  /** `oci` for an image that is in no registry. */
  readonly type?: 'docker' | 'oci';
}

/**
 * Returns the package URL of an image, e.g. `pkg:docker/busybox@latest?platform=linux%2Famd64`. A digest is a qualifier, as
 * in BuildKit.
 */
export function packageUrl(
  { registry, repository, tag, digest }: Reference,
  { platform, type = 'docker' }: PackageUrlOptions = {},
): string {
  const path = registry === 'docker.io' ? repository.replace(/^library\//, '') : `${registry}/${repository}`;
  const qualifiers = [
    ...(digest === undefined ? [] : [`digest=${digest}`]),
    ...(platform === undefined ? [] : [`platform=${encodeURIComponent(formatPlatform(platform))}`]),
  ];
  const version = tag === undefined ? '' : `@${tag}`;
  const query = qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`;
  return `pkg:${type}/${path.replaceAll(':', '%3A')}${version}${query}`;
}

const ARTIFACT = 'application/vnd.docker.attestation.manifest.v1+json';

/** The image that attestations are about: their subject under each of its names. */
export interface AttestationsOf {
  readonly image: Descriptor;
  readonly names: readonly Reference[];
  readonly platform: Platform;
}

/**
 * Encodes the attestations of an image as buildx stores them: a manifest whose layers are the statements. As an
 * artifact it names the image as its subject and has an empty configuration, otherwise one with the platform `unknown`.
 */
export function encodeAttestations(
  attestations: readonly Attestation[],
  { image, names, platform }: AttestationsOf,
  { artifact }: { readonly artifact: boolean },
): EncodedAttestations {
  const subject = imageSubjects(image, names, platform);
  const statements = attestations.map((one) => {
    const { descriptor, bytes } = encode(MediaType.statement, statementOf(one, subject));
    return { descriptor: { ...descriptor, annotations: { 'in-toto.io/predicate-type': one.predicateType } }, bytes };
  });
  const layers = statements.map(({ descriptor }) => descriptor);
  const config = artifact ? emptyConfig() : unknownConfig(layers);
  const { mediaType, digest, size } = image;
  const manifest = encodeDocument({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: config.descriptor,
    layers,
    ...(artifact ? { artifactType: ARTIFACT, subject: { mediaType, digest, size } } : {}),
  });
  return { manifest, blobs: [config, ...statements] };
}

/** The empty descriptor of the image specification carries its content. */
function emptyConfig(): EncodedDocument {
  const { descriptor, bytes } = EMPTY_DOCUMENT;
  return { descriptor: { ...descriptor, data: Buffer.from(bytes).toString('base64') }, bytes };
}

function unknownConfig(layers: readonly Descriptor[]): EncodedDocument {
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
  return encode(MediaType.config, { architecture: 'unknown', os: 'unknown', config: {}, rootfs });
}

/** The annotation of an index entry that names the image which the attestations are about. */
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest';

/** Returns the annotations of an index entry for the attestations of `image`. */
export function attestationEntry({ manifest }: EncodedAttestations, image: Descriptor): Descriptor {
  return {
    ...manifest.descriptor,
    annotations: { [REFERENCE_DIGEST]: image.digest, 'vnd.docker.reference.type': 'attestation-manifest' },
    platform: { architecture: 'unknown', os: 'unknown' },
  };
}

function encode(mediaType: string, document: object): EncodedDocument {
  return describeBytes(mediaType, Buffer.from(goJson(document)));
}
