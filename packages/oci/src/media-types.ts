/** Media types of the OCI image specification and of its predecessors from Docker. */
export const MediaType = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  /** An in-toto statement. */
  statement: 'application/vnd.in-toto+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

export type LayerCompression = 'uncompressed' | 'gzip' | 'zstd';

const LAYERS: Readonly<Record<string, LayerCompression>> = {
  [MediaType.layer]: 'uncompressed',
  [MediaType.layerGzip]: 'gzip',
  [MediaType.layerZstd]: 'zstd',
  [MediaType.dockerLayer]: 'uncompressed',
  [MediaType.dockerLayerGzip]: 'gzip',
  [MediaType.dockerLayerZstd]: 'zstd',
  'application/vnd.oci.image.layer.nondistributable.v1.tar': 'uncompressed',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': 'zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'gzip',
};

export function isIndexType(mediaType: string): boolean {
  return mediaType === MediaType.index || mediaType === MediaType.dockerIndex;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === MediaType.manifest || mediaType === MediaType.dockerManifest;
}

/** Returns the compression of a layer, or undefined if the media type is not a layer's. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  return LAYERS[mediaType];
}

/** Returns the OCI media type of a layer with this compression. */
export function layerMediaType(compression: LayerCompression): string {
  return { uncompressed: MediaType.layer, gzip: MediaType.layerGzip, zstd: MediaType.layerZstd }[compression];
}
