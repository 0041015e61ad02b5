import type { Provider } from '@tbuild/content';
import type { PendingLayer } from '@tbuild/layers';
import type { Descriptor, Digest, Image, Reference } from '@tbuild/oci';
import type { ReportTransfer } from '@tbuild/progress';
import type { Attestation } from './attestation.ts';

/** One finished image and its tree. */
export interface ExportedImage {
  readonly image: Image;
  /** How many of its lowest layers are its base image's; none unless given. */
  readonly baseLayers?: number;
  /** What is said about it; places that hold no index leave it out. */
  readonly attestations?: readonly Attestation[];
  /** The directories of its snapshot, bottom first, made now if need be; for `local` and `tar`. */
  openRootfs(signal: AbortSignal): Promise<readonly string[]>;
}

/** What a build made: one image a platform. */
export interface Exportable {
  readonly images: readonly ExportedImage[];
  /** Blobs of all layers; those of base layers that were never needed come from their registry on demand. */
  readonly content: Provider;
  /** The names to give it, `-t`. */
  readonly names: readonly Reference[];
  /** Repositories that may hold a blob already, such as that of the base image: a push takes it from there. */
  sourcesOf?(blob: Digest): readonly Reference[];
  /** `SOURCE_DATE_EPOCH` in milliseconds. */
  readonly epoch?: number;
  /** Fulfilled when all is done that {@link Exporter.prepare} was asked for. */
  readonly prepared?: Promise<void>;
}

/** What an image is known by. */
export interface ImageDigests {
  readonly config: Digest;
  /** Unless none was made. */
  readonly manifest?: Digest;
}

/** What an exporter made. */
export interface Exported {
  /** For people: a path, a reference, a name in the store. */
  readonly destination: string;
  /** The manifest (one image) or index (several), when one was made, and the documents of each image. */
  readonly manifest?: Descriptor;
  readonly images?: readonly ImageDigests[];
}

/** Carries a finished image out of the builder's world. Options are constructor arguments. */
export interface Exporter {
  /** For the step's name, e.g. `exporting to oci archive`. */
  readonly name: string;
  export(result: Exportable, report: ReportTransfer, signal: AbortSignal): Promise<Exported>;
  /**
   * Does for a layer of the build's own what `export` would do, while the image is not finished. A failure says nothing: what is
   * missing then, `export` makes. `epoch` as for it.
   */
  prepare?(pending: PendingLayer, epoch: number | undefined, signal: AbortSignal): Promise<void>;
  /** How `prepare` compresses the bytes that come, when that is all that it takes: `export` needs no others of the layer. */
  readonly compresses?: string;
}
