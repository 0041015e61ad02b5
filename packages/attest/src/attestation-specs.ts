/** `--provenance`: whether and how to record how an image was built. */
export interface ProvenanceSpec {
  /** `max` adds build arguments, steps and the Dockerfile. */
  readonly mode: 'min' | 'max';
  readonly version: 'v0.2' | 'v1';
  /** File name when the output is a tree. */
  readonly filename: string;
  /** URI of the builder. May be empty. */
  readonly builderId: string;
  /** Whether the user declares the build reproducible. */
  readonly reproducible: boolean;
  /** Store it with images only, never in a tree. */
  readonly inlineOnly?: boolean;
}

/** `--sbom`: whether and how to list the packages of an image. */
export interface SbomSpec {
  /** Scanner image, such as `docker/buildkit-syft-scanner`. Without one, tbuild reads the package databases itself. */
  readonly generator?: string;
  /** Passed to the scanner as `BUILDKIT_SCAN_NAME=value`. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** The attestations that a build makes. */
export interface AttestationSpecs {
  readonly provenance?: ProvenanceSpec;
  readonly sbom?: SbomSpec;
}
