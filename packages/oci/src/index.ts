export { canonicalJson } from './canonical-json.ts';
export { chooseManifest, MOST_INDEXES } from './choose-manifest.ts';
export type { Descriptor, Layer } from './descriptor.ts';
export { digestOf, hexOf, isDigest, parseDigest } from './digest.ts';
export type { Digest } from './digest.ts';
export { chainId, encodeImage, encodeIndex, INLINE_CACHE_MEMBER } from './encode-image.ts';
export type { EncodedDocument, EncodedImage, Image, IndexOptions } from './encode-image.ts';
export { parseImageConfig } from './image-config.ts';
export type { HistoryEntry, ImageConfig } from './image-config.ts';
export type { HealthConfig, RuntimeConfig } from './runtime-config.ts';
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
} from './reference.ts';
export type { Reference } from './reference.ts';
export { isImage, requireImage } from './require-image.ts';
