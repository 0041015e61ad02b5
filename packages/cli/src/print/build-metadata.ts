import type { BuildResult } from '@tbuild/builder';
import type { LintWarning } from '@tbuild/dockerfile';
import { isIndexType } from '@tbuild/oci';

/** Returns the document of `--metadata-file`, with the keys of buildx; the warnings only on request. */
export function buildMetadata(
  { ref, images, manifest, names, warnings }: BuildResult,
  { withWarnings = false } = {},
): Readonly<Record<string, unknown>> {
  const [only] = images;
  const platform = images.length === 1 && !isIndexType(manifest?.mediaType ?? '') ? only?.platform : undefined;
  return {
    'buildx.build.ref': ref,
    ...(images.length === 1 && only !== undefined ? { 'containerimage.config.digest': only.config } : {}),
    ...(manifest === undefined
      ? {}
      : {
          'containerimage.descriptor': { ...manifest, ...(platform === undefined ? {} : { platform }) },
          'containerimage.digest': manifest.digest,
        }),
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
    ...(withWarnings && warnings.length > 0 ? { 'buildx.build.warnings': warnings.map(warningDocument) } : {}),
  };
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
