import { resolve } from 'node:path';
import type { BuildRequest, CacheExportOptions, CacheExportSpec, CacheImportSpec } from '@tbuild/builder';
import { formatReference, parseReference } from '@tbuild/oci';
import type { CacheSource, CacheTarget } from '@tbuild/spec';
import type { Environment } from '../config/environment.ts';
import { bucketPlace, bucketReaders, cacheName, cacheNames, uploadOptions } from './bucket-cache.ts';
import { compressionLevel } from './image-options.ts';
import { OptionFields } from './option-fields.ts';

const FROM = { option: '--cache-from', hint: 'Write for example --cache-from HOST/NAME:cache' };
const TO = { option: '--cache-to', hint: 'Write for example --cache-to type=registry,ref=HOST/NAME:cache,mode=max' };

/** Where options of caches are read: relative paths, and what they leave to the environment. */
export type CacheSurroundings = Pick<Environment, 'cwd' | 'variables'>;

/**
 * Reads a cache to take steps from: `type=registry,ref=…`, `type=local,src=…`, a bucket, or a bare reference. A type that
 * tbuild does not have is no error.
 * @throws TbuildError USAGE
 */
export function cacheImport(source: string | CacheSource, { cwd, variables }: CacheSurroundings): CacheImportSpec {
  const fields = new OptionFields(withType(source), FROM);
  const type = fields.required('type');
  if (type === 'registry') return fields.done(type, { type, ...registry(fields) });
  if (type === 's3' || type === 'azblob') {
    const place = bucketPlace(fields, bucketReaders[type](fields, variables));
    return fields.done(type, { type: 'bucket', ...place, name: cacheName(fields) });
  }
  if (type !== 'local') return { type: 'unknown', name: type };
  const name = fields.text('digest') ?? fields.text('tag') ?? 'latest';
  fields.text('tag');
  return fields.done(type, { type, path: resolve(cwd, fields.required('src')), name });
}

/**
 * Reads a cache to save steps in: `type=registry,ref=…`, `type=local,dest=…`, `type=inline`, a bucket, or a bare
 * reference. `gha`, which only Docker's builder has, is no error.
 * @throws TbuildError USAGE
 */
export function cacheExport(target: string | CacheTarget, { cwd, variables }: CacheSurroundings): CacheExportSpec {
  const fields = new OptionFields(withType(target), TO);
  const type = fields.oneOf('type', ['registry', 'local', 'inline', 's3', 'azblob', 'gha']);
  if (type === undefined) throw fields.invalid('type= is required');
  if (type === 'registry') return fields.done(type, { type, ...registry(fields), ...exportOptions(fields) });
  if (type === 's3' || type === 'azblob') {
    const place = bucketPlace(fields, bucketReaders[type](fields, variables));
    const upload = { names: cacheNames(fields), ...uploadOptions(fields, type) };
    return fields.done(type, { type: 'bucket', ...place, ...upload, ...exportOptions(fields) });
  }
  if (type === 'local') {
    // Accepted without effect: old blobs stay in the directory.
    fields.text('reset');
    const path = resolve(cwd, fields.required('dest'));
    return fields.done(type, { type, path, tag: fields.text('tag') ?? 'latest', ...exportOptions(fields) });
  }
  if (type === 'gha') return { type: 'unknown', name: type };
  // An inline cache holds the steps of the image in any case.
  fields.text('mode');
  return fields.done(type, { type });
}

/** Returns the registries of caches with `registry.insecure`. */
export function insecureCaches({ cacheFrom, cacheTo }: Pick<BuildRequest, 'cacheFrom' | 'cacheTo'>): readonly string[] {
  return [...cacheFrom, ...cacheTo].flatMap((cache) =>
    cache.type === 'registry' && cache.insecure === true ? [parseReference(cache.reference).registry] : [],
  );
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

function registry(fields: OptionFields): { readonly reference: string; readonly insecure?: boolean } {
  const reference = formatReference(parseReference(fields.required('ref')));
  return { reference, insecure: fields.flag('registry.insecure') };
}
