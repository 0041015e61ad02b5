export { annotated, annotationsOf } from './annotations-of.ts';
export { packageUrl, REFERENCE_DIGEST, statementOf } from './attestation.ts';
export type { Attestation, Subject } from './attestation.ts';
export { compressLayer, requireCompression } from './compress-layer.ts';
export type { VariantStore } from './compress-layer.ts';
export { compressStored } from './compress-stored.ts';
export type { StoredExport } from './compress-stored.ts';
export type { Destination } from './destination.ts';
export { dockerArchive } from './docker-archive.ts';
export type {
  ComingLayer,
  Exportable,
  Exported,
  ExportedImage,
  Exporter,
  ImageDigests,
  ReportExport,
} from './exporter.ts';
export { gzip } from './gzip.ts';
export type { Annotation, ImageFormat } from './image-format.ts';
export { imageStore } from './image-store.ts';
export type { ImageStoreOptions, StoredNames } from './image-store.ts';
export { createLayerVariants } from './layer-variants.ts';
export type { LayerVariants } from './layer-variants.ts';
export { dockerLoad, load, podmanLoad } from './load.ts';
export type { LoadOptions, RunProgram } from './load.ts';
export { localTree } from './local-tree.ts';
export type { LocalTreeOptions } from './local-tree.ts';
export { ociArchive, ociLayout } from './oci-archive.ts';
export type { OciArchiveOptions } from './oci-archive.ts';
export { platformDirectory } from './platform-directory.ts';
export { push, pushStored } from './push.ts';
export type { PushOptions, PushStoredOptions } from './push.ts';
export { saveImages } from './save-images.ts';
export type { ImageToSave } from './save-images.ts';
export { tarTree } from './tar-tree.ts';
export type { TarTreeOptions } from './tar-tree.ts';
