import { resolve } from 'node:path';
import type { CacheExportOptions, CacheExportSpec, CacheImportSpec } from '@tbuild/builder';
import { formatReference, parseReference } from '@tbuild/oci';
import type { CacheSource, CacheTarget } from '@tbuild/spec';
import { compressionLevel } from './image-options.ts';
import { OptionFields } from './option-fields.ts';

const FROM = { option: '--cache-from', hint: 'Write for example --cache-from HOST/NAME:cache' };
const TO = { option: '--cache-to', hint: 'Write for example --cache-to type=registry,ref=HOST/NAME:cache,mode=max' };

/**
 * Reads a cache to take steps from: `type=registry,ref=…`, `type=local,src=…`, or a bare reference.
 * @throws TbuildError USAGE
 */
export function cacheImport(source: string | CacheSource, cwd: string): CacheImportSpec {
  const fields = new OptionFields(withType(source), FROM);
  const type = typeOf(fields, ['registry', 'local']);
  if (type === 'registry') return fields.done(type, { type, reference: reference(fields) });
  const name = fields.text('digest') ?? fields.text('tag') ?? 'latest';
  fields.text('tag');
  return fields.done(type, { type, path: resolve(cwd, fields.required('src')), name });
}

/**
 * Reads a cache to save steps in: `type=registry,ref=…`, `type=local,dest=…`, `type=inline`, or a bare reference.
 * @throws TbuildError USAGE
 */
export function cacheExport(target: string | CacheTarget, cwd: string): CacheExportSpec {
  const fields = new OptionFields(withType(target), TO);
  const type = typeOf(fields, ['registry', 'local', 'inline']);
  if (type === 'registry') return fields.done(type, { type, reference: reference(fields), ...exportOptions(fields) });
  if (type === 'local') {
    // Accepted without effect: old blobs stay in the directory.
    fields.text('reset');
    const path = resolve(cwd, fields.required('dest'));
    return fields.done(type, { type, path, tag: fields.text('tag') ?? 'latest', ...exportOptions(fields) });
  }
  // An inline cache holds the steps of the image in any case.
  fields.text('mode');
  return fields.done(type, { type });
}

function exportOptions(fields: OptionFields): CacheExportOptions {
  const compression = fields.oneOf('compression', ['uncompressed', 'gzip', 'zstd']) ?? 'gzip';
  // A cache is always an OCI image manifest; Docker's builder can also write two older forms.
  for (const name of ['oci-mediatypes', 'image-manifest'])
    if (fields.flag(name) === false) throw fields.invalid(`${name} can only be true`);
  return {
    mode: fields.oneOf('mode', ['min', 'max']) ?? 'min',
    mounts: fields.flag('mounts') ?? false,
    ignoreError: fields.flag('ignore-error') ?? false,
    compression,
    compressionLevel: compressionLevel(fields, compression),
    forceCompression: fields.flag('force-compression') ?? false,
  };
}

function withType<T>(written: string | T): string | T | { readonly type: string; readonly ref: string } {
  return typeof written === 'string' && !/[=,]/.test(written) ? { type: 'registry', ref: written } : written;
}

function typeOf<T extends string>(fields: OptionFields, types: readonly T[]): T {
  const type = fields.required('type');
  const known = types.find((one) => one === type);
  if (known !== undefined) return known;
  throw fields.invalid(`type ${JSON.stringify(type)} is not one of ${types.join(', ')}`);
}

function reference(fields: OptionFields): string {
  return formatReference(parseReference(fields.required('ref')));
}
