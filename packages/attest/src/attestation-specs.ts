/** `--provenance`: how a build tells where its result comes from. */
export interface ProvenanceSpec {
  /** Without or with build arguments, steps and the Dockerfile. */
  readonly mode: 'min' | 'max';
  readonly version: 'v0.2' | 'v1';
  /** Beside an output that is a tree. */
  readonly filename: string;
  /** A URI that says who builds; may be empty. */
  readonly builderId: string;
  /** Whether the user says that the build is reproducible. */
  readonly reproducible: boolean;
  /** Only with an image, never beside a tree. */
  readonly inlineOnly?: boolean;
}

/** `--sbom`: the packages of an image. */
export interface SbomSpec {
  /** The image of a scanner that finds them, as `docker/buildkit-syft-scanner`; the package databases are read unless given. */
  readonly generator?: string;
  /** What the scanner is told: `BUILDKIT_SCAN_NAME=value`. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** What is to be said about the images, beside them. */
export interface AttestationSpecs {
  readonly provenance?: ProvenanceSpec;
  readonly sbom?: SbomSpec;
}
