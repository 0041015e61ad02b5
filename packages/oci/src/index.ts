export { Annotation } from './annotation.ts';
export { canonicalJson } from './canonical-json.ts';
export { chooseManifest, MOST_INDEXES } from './choose-manifest.ts';
export type { Descriptor, Layer } from './descriptor.ts';
export { digestOf, hexOf, isDigest } from './digest.ts';
export type { Digest } from './digest.ts';
export { INLINE_CACHE_MEMBER } from './config-document.ts';
export { chainId, describeBytes, EMPTY_DOCUMENT, encodeDocument, encodeImage, encodeIndex } from './encode-image.ts';
export type { EncodedDocument, EncodedImage } from './encode-image.ts';
export { goBool } from './go-bool.ts';
export { goJson } from './go-json.ts';
export { goSecondsOf, goTime, goTimeOf } from './go-time.ts';
export type { Image } from './image.ts';
export { isRecord, recordOf } from './is-record.ts';
export { indexStruct } from './manifest-structs.ts';
export { parseImageConfig } from './image-config.ts';
export type { HistoryEntry, ImageConfig } from './image-config.ts';
export type { HealthConfig, RuntimeConfig } from './runtime-config.ts';
export { parseJson } from './parse-json.ts';
export { childrenOf, isIndex, parseDescriptor, parseManifest } from './manifest.ts';
export type { Index, Manifest } from './manifest.ts';
export { isIndexType, isManifestType, layerCompression, layerMediaType, MediaType } from './media-types.ts';
export type { LayerCompression } from './media-types.ts';
export {
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
  samePlatform,
  selectPlatform,
} from './platform.ts';
export type { Platform } from './platform.ts';
export {
  familiarReference,
  familiarRepository,
  formatReference,
  formatRepository,
  parseReference,
  parseReferenceOr,
} from './reference.ts';
export type { Reference } from './reference.ts';
export { isImage, requireImage } from './require-image.ts';
