import type { Provider } from '@tbuild/content';
import type { PendingLayer } from '@tbuild/layers';
import type { Descriptor, Digest, Image, Platform, Reference } from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';
import type { Attestation } from './encode/attestation.ts';

/** One finished image and its tree. */
export interface ExportedImage {
  readonly image: Image;
  /** The platform that the build was for, when the image may have another one from its base. */
  readonly platform?: Platform;
  /** How many of its lowest layers are those of its base image. Defaults to none. */
  readonly baseLayers?: number;
  /** How many of the first entries of its history are those of its base image. Defaults to none. */
  readonly baseHistory?: number;
  /** Its attestations; outputs without an index omit them. */
  readonly attestations?: readonly Attestation[];
  /** Returns the directories of its snapshot, bottom first; makes them if necessary. For `local` and `tar`. */
  openRootfs(signal: AbortSignal): Promise<readonly string[]>;
}

/** The result of a build: one image for each platform. */
export interface Exportable {
  readonly images: readonly ExportedImage[];
  /** Serves the blobs of all layers; those of unused base layers come from their registry on demand. */
  readonly content: Provider;
  /** The names of the image, `-t`. */
  readonly names: readonly Reference[];
  /** Write a single image as several are: under an index, and in a directory of its platform. */
  readonly isMultiPlatform?: boolean;
  /** Returns repositories that may hold a blob, such as that of the base image: a push mounts the blob from there. */
  sourcesOf?(blob: Digest): readonly Reference[];
  /** `SOURCE_DATE_EPOCH` of this output in milliseconds: the limit for times that the build made. */
  readonly epoch?: number;
  /** Resolves when all calls of {@link Exporter.prepare} have ended. */
  readonly prepared?: Promise<void>;
}

/** The digests that identify an image. */
export interface ImageDigests {
  readonly config: Digest;
  /** The digest of its manifest, if one was made. */
  readonly manifest?: Digest;
}

/** The outcome of an exporter. */
export interface Exported {
  /** The destination for people: a path, a reference, a name in the store. */
  readonly destination: string;
  /** The manifest (one image) or index (several), if one was made, and the digests of each image. */
  readonly manifest?: Descriptor;
  readonly images?: readonly ImageDigests[];
  /** What the destination has no place for. */
  readonly leftOut?: 'attestations';
}

/** What a running export reports to, and what aborts it. */
export interface ExportRun {
  readonly report: ReportTransfer;
  readonly signal: AbortSignal;
}

/** Writes a finished image to one kind of destination. Options are arguments of the constructor. */
export interface Exporter {
  /** The step's name, e.g. `exporting to oci archive`. */
  readonly name: string;
  export(result: Exportable, report: ReportTransfer, signal: AbortSignal): Promise<Exported>;
  /**
   * Does the work of `export` for one layer of this build while the image is not finished. A failure has no effect:
   * `export` makes what is missing. `epoch` is that of the export.
   */
  prepare?(pending: PendingLayer, epoch: number | undefined, signal: AbortSignal): Promise<void>;
  /**
   * The compression that `prepare` applies, when it needs only the layer's bytes as they come and `export` needs no
   * others.
   */
  readonly compresses?: string;
}
