import { createHash } from 'node:crypto';
import { readBlob, readLayer, type LayoutDescriptor, type LayoutImage } from './layout.ts';
import { readTar } from './tar-archive.ts';

const mediaTypes = {
  manifest: ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'],
  config: ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'],
  layer: [
    'application/vnd.oci.image.layer.v1.tar',
    'application/vnd.oci.image.layer.v1.tar+gzip',
    'application/vnd.docker.image.rootfs.diff.tar',
    'application/vnd.docker.image.rootfs.diff.tar.gzip',
  ],
};

/** Checks every invariant of an image; returns one line for each violation, none for a valid image. */
export function problemsOf(image: LayoutImage): string[] {
  return [...manifestProblems(image), ...layerProblems(image), ...configProblems(image)];
}

function manifestProblems({ layout, manifest, manifestDescriptor }: LayoutImage): string[] {
  const { config, layers } = manifest;
  return [
    ...(manifest.schemaVersion === 2 ? [] : [`schemaVersion is ${manifest.schemaVersion}`]),
    ...typeProblems('manifest', manifestDescriptor),
    ...typeProblems('config', config),
    ...layers.flatMap((layer) => typeProblems('layer', layer)),
    ...[manifestDescriptor, config, ...layers].flatMap((descriptor) => blobProblems(layout, descriptor)),
  ];
}

function typeProblems(kind: keyof typeof mediaTypes, { mediaType, digest }: LayoutDescriptor): string[] {
  return mediaTypes[kind].includes(mediaType) ? [] : [`${kind} ${digest} has the media type ${mediaType}`];
}

function blobProblems(layout: string, descriptor: LayoutDescriptor): string[] {
  const blob = readBlob(layout, descriptor);
  const digest = digestOf(blob);
  return [
    ...(digest === descriptor.digest ? [] : [`blob ${descriptor.digest} has the digest ${digest}`]),
    ...(blob.length === descriptor.size
      ? []
      : [`blob ${digest} has ${blob.length} bytes, its descriptor says ${descriptor.size}`]),
  ];
}

function layerProblems({ layout, manifest, config }: LayoutImage): string[] {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    return [`${manifest.layers.length} layers, but ${diffIds.length} diff IDs`];
  }
  return manifest.layers.flatMap((layer, index) => {
    const archive = readLayer(layout, layer);
    const wrongId = digestOf(archive) === diffIds[index] ? [] : [`layer ${index} is not ${diffIds[index]}`];
    const isPlain = layer.mediaType.endsWith('tar');
    const compressed = layer.digest !== diffIds[index];
    const wrongType = isPlain && compressed ? [`layer ${index} is compressed, its media type says tar`] : [];
    return [...wrongId, ...wrongType, ...archiveProblems(archive).map((problem) => `layer ${index}: ${problem}`)];
  });
}

function archiveProblems(archive: Buffer): string[] {
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const { name } of readTar(archive)) {
    const path = name.replace(/^\.\//, '').replace(/\/$/, '');
    if (seen.has(path)) problems.push(`${path} occurs twice`);
    if (path.split('/').includes('..') || name.startsWith('/')) problems.push(`${name} leaves the root`);
    seen.add(path);
  }
  return problems;
}

function configProblems({ config, manifest }: LayoutImage): string[] {
  const history = config.history ?? [];
  const withLayer = history.filter((entry) => entry.empty_layer !== true).length;
  return [
    ...(config.rootfs.type === 'layers' ? [] : [`rootfs.type is ${config.rootfs.type}`]),
    ...(withLayer === manifest.layers.length
      ? []
      : [`history tells of ${withLayer} layers, there are ${manifest.layers.length}`]),
    ...(config.os === 'linux' && config.architecture !== '' ? [] : [`platform is ${config.os}/${config.architecture}`]),
    ...[config, ...history].flatMap((dated) => timeProblems(dated.created)),
  ];
}

function timeProblems(time: string | undefined): string[] {
  return time === undefined || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(time)
    ? []
    : [`${time} is no RFC 3339 time`];
}

function digestOf(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}
