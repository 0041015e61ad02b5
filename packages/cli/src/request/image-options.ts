import { TbuildError } from '@tbuild/errors';
import { formatReference, parseReference, type LayerCompression, type Platform } from '@tbuild/oci';
import type { Annotation, ImageFormat } from '@tbuild/spec';
import { parseAnnotationKind } from './annotation.ts';
import type { OptionFields } from './option-fields.ts';

/** Reads the settings that all outputs have which are images. */
export function imageOptions(
  fields: OptionFields,
  host: Platform,
): ImageFormat & { readonly names?: readonly string[] } {
  const mediaTypes = fields.flag('oci-mediatypes');
  const compression = outputCompression(fields);
  // Attestations are always stored with the image.
  fields.flag('attestation-inline');
  fields.refuse('prefer-nondist-layers', 'Remove it: layers that must not be distributed always stay so', 'true');
  return {
    names: fields.list('name')?.map((name) => formatReference(parseReference(name))),
    compression,
    compressionLevel: compressionLevel(fields, compression),
    forceCompression: fields.flag('force-compression'),
    mediaTypes: mediaTypes === undefined ? undefined : mediaTypes ? 'oci' : 'docker',
    attestationArtifact: fields.flag('oci-artifact'),
    annotations: annotations(fields, host),
    rewriteTimestamp: fields.flag('rewrite-timestamp'),
  };
}

/** @throws TbuildError USAGE for the formats that are pulled file by file. */
function outputCompression(fields: OptionFields): LayerCompression | undefined {
  const choice = fields.oneOf('compression', ['uncompressed', 'gzip', 'zstd', 'estargz', 'nydus']);
  if (choice !== 'estargz' && choice !== 'nydus') return choice;
  throw new TbuildError('USAGE', `Cannot compress layers with ${choice}`, {
    hint: 'Use compression=gzip or zstd; a tool such as nerdctl image convert makes layers for lazy pulling',
  });
}

/** Reads `compression-level`, whose range depends on the compression. */
export function compressionLevel(fields: OptionFields, compression: LayerCompression = 'gzip'): number | undefined {
  const most = compression === 'zstd' ? 22 : 9;
  return fields.number('compression-level', most, `compression-level must be 0 to ${most} for ${compression}`);
}

function annotations(fields: OptionFields, host: Platform): readonly Annotation[] | undefined {
  const names = fields.left.filter((name) => name.startsWith('annotation'));
  if (names.length === 0) return undefined;
  return names.map((field) => {
    const [, kind = 'manifest', name = ''] =
      /^annotation(?:-((?:manifest|index)(?:-descriptor)?))?(?:\[.*?\])?\.(.+)$/.exec(field) ?? [];
    const platform = /^[^.[]*(\[.*?\])/.exec(field)?.[1] ?? '';
    if (name === '') throw fields.invalid(`${JSON.stringify(field)} is not of the form annotation[-KIND].NAME`);
    return { ...parseAnnotationKind(kind + platform, host), name, value: fields.text(field) ?? '' };
  });
}
