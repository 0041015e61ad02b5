import type { Descriptor } from './descriptor.ts';
import { goMap } from './go-json.ts';
import type { Index, Manifest } from './manifest.ts';
import type { Platform } from './platform.ts';

/** Returns a manifest with the fields of the image specification, in the order of its Go structs. */
export function manifestStruct(manifest: Manifest): object {
  const { schemaVersion, mediaType, artifactType, config, layers, subject, annotations } = manifest;
  return {
    schemaVersion,
    mediaType,
    artifactType,
    config: descriptorStruct(config),
    // Go encodes a slice that nothing was appended to as null.
    layers: layers.length === 0 ? null : layers.map(descriptorStruct),
    subject: subject && descriptorStruct(subject),
    annotations: annotationsMap(annotations),
  };
}

/** Returns an index in the same way. */
export function indexStruct({ schemaVersion, mediaType, artifactType, ...index }: Index): object {
  return {
    schemaVersion,
    mediaType,
    artifactType,
    manifests: index.manifests.map(descriptorStruct),
    subject: index.subject && descriptorStruct(index.subject),
    annotations: annotationsMap(index.annotations),
  };
}

function descriptorStruct({ mediaType, digest, size, ...optional }: Descriptor): object {
  return {
    mediaType,
    digest,
    size,
    urls: optional.urls && optional.urls.length > 0 ? optional.urls : undefined,
    annotations: annotationsMap(optional.annotations),
    data: optional.data,
    platform: optional.platform && platformStruct(optional.platform),
    artifactType: optional.artifactType,
  };
}

function platformStruct({ architecture, os, variant, ...platform }: Platform): object {
  return {
    architecture,
    os,
    'os.version': platform['os.version'],
    'os.features': platform['os.features'],
    variant,
  };
}

function annotationsMap(annotations: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> | undefined {
  const map = goMap(annotations);
  return map.size === 0 ? undefined : map;
}
