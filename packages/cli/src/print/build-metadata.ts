import type { BuildResult } from '@tbuild/builder';
import type { LintWarning } from '@tbuild/dockerfile';
import { goBool, formatPlatform, isIndexType } from '@tbuild/oci';
import type { Environment } from '../config/environment.ts';

/** What the document of `--metadata-file` has besides the image. */
export interface MetadataParts {
  /** How much of the provenance. */
  readonly provenance: 'min' | 'max' | 'disabled';
  readonly warnings: boolean;
}

/** Reads buildx's variables; the provenance is for a file only. */
export function metadataParts(file: string | undefined, { variables }: Pick<Environment, 'variables'>): MetadataParts {
  const { BUILDX_METADATA_PROVENANCE: mode = '', BUILDX_METADATA_WARNINGS: warnings = '' } = variables;
  const isOff = file === undefined || mode === 'disabled' || goBool(mode) === false;
  return {
    provenance: isOff ? 'disabled' : mode === 'max' ? 'max' : 'min',
    warnings: goBool(warnings) === true,
  };
}

/** Returns the document of `--metadata-file` of one build, with the keys of buildx but for the warnings. */
export function buildMetadata(
  { ref, images, manifest, names, provenance = [] }: BuildResult,
  mode: MetadataParts['provenance'] = 'min',
): Readonly<Record<string, unknown>> {
  const [only] = images;
  const platform = images.length === 1 && !isIndexType(manifest?.mediaType ?? '') ? only?.platform : undefined;
  const recorded = provenance.map(({ platform: of, predicate }) => [
    provenance.length === 1 ? PROVENANCE : `${PROVENANCE}/${formatPlatform(of)}`,
    recordedPart(predicate, mode),
  ]);
  return {
    ...Object.fromEntries(recorded),
    'buildx.build.ref': ref,
    ...(images.length === 1 && only !== undefined ? { 'containerimage.config.digest': only.config } : {}),
    ...(manifest === undefined
      ? {}
      : {
          'containerimage.descriptor': { ...manifest, ...(platform === undefined ? {} : { platform }) },
          'containerimage.digest': manifest.digest,
        }),
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}

const PROVENANCE = 'buildx.build.provenance';

/** Leaves out what buildx leaves out: the builder, which has no name here, and of `min` the steps and the times. */
function recordedPart(predicate: object, mode: MetadataParts['provenance']): object {
  const omitted = mode === 'max' ? ['builder'] : ['builder', 'buildConfig', 'metadata'];
  return Object.fromEntries(Object.entries(predicate).filter(([name]) => !omitted.includes(name)));
}

/** Returns the part of the document with the warnings; none without any. */
export function warningMetadata(warnings: readonly LintWarning[]): Readonly<Record<string, unknown>> {
  return warnings.length === 0 ? {} : { 'buildx.build.warnings': warnings.map(warningDocument) };
}

/** As BuildKit encodes a warning in JSON: texts in base64. */
function warningDocument({ rule, message, description, url, location }: LintWarning): object {
  const { file, start, end } = location;
  return {
    level: 1,
    short: base64(`${rule}: ${message}`),
    detail: [base64(description)],
    url,
    sourceInfo: { filename: file, language: 'Dockerfile' },
    range: [{ start: { line: start.line }, end: { line: end.line } }],
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
