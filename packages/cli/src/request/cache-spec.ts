import { resolve } from 'node:path';
import type { CacheExportOptions, CacheExportSpec, CacheImportSpec } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { formatReference, parseReference } from '@tbuild/oci';
import { parseFields } from '../flags/fields.ts';

type Fields = Readonly<Record<string, string>>;

/**
 * Reads one `--cache-from`: `type=registry,ref=…`, `type=local,src=…`, or a bare reference.
 * @throws TbuildError USAGE
 */
export function parseCacheFrom(text: string, cwd: string): CacheImportSpec {
  const fields = fieldsOf(text, 'cache-from');
  switch (typeOf(fields, 'cache-from', text)) {
    case 'registry':
      allow(fields, ['ref'], 'cache-from', text);
      return { type: 'registry', reference: referenceIn(fields, 'cache-from', text) };
    case 'local':
      allow(fields, ['src', 'tag', 'digest'], 'cache-from', text);
      return {
        type: 'local',
        path: resolve(cwd, required(fields, 'src', 'cache-from', text)),
        name: fields.digest ?? fields.tag ?? 'latest',
      };
    default:
      throw unknownType(fields, 'registry, local', 'cache-from', text);
  }
}

/**
 * Reads one `--cache-to`: `type=registry,ref=…`, `type=local,dest=…`, `type=inline`, or a bare reference.
 * @throws TbuildError USAGE
 */
export function parseCacheTo(text: string, cwd: string): CacheExportSpec {
  const fields = fieldsOf(text, 'cache-to');
  switch (typeOf(fields, 'cache-to', text)) {
    case 'registry':
      allow(fields, ['ref', ...COMMON], 'cache-to', text);
      return { type: 'registry', reference: referenceIn(fields, 'cache-to', text), ...exportOptions(fields, text) };
    case 'local':
      allow(fields, ['dest', 'tag', 'reset', ...COMMON], 'cache-to', text);
      return {
        type: 'local',
        path: resolve(cwd, required(fields, 'dest', 'cache-to', text)),
        tag: fields.tag ?? 'latest',
        ...exportOptions(fields, text),
      };
    case 'inline':
      allow(fields, ['mode'], 'cache-to', text);
      return { type: 'inline' };
    default:
      throw unknownType(fields, 'registry, local, inline', 'cache-to', text);
  }
}

const COMMON = [
  'mode',
  'ignore-error',
  'compression',
  'compression-level',
  'force-compression',
  'oci-mediatypes',
  'image-manifest',
  'mounts',
];

function exportOptions(fields: Fields, text: string): CacheExportOptions {
  const { mode = 'min', compression = 'gzip', 'compression-level': level } = fields;
  if (mode !== 'min' && mode !== 'max')
    throw invalid('cache-to', text, `mode ${JSON.stringify(mode)} is none of min, max`);
  if (compression !== 'gzip' && compression !== 'zstd' && compression !== 'uncompressed') {
    throw invalid('cache-to', text, `compression ${JSON.stringify(compression)} is none of uncompressed, gzip, zstd`);
  }
  if (level !== undefined && !/^\d{1,2}$/.test(level))
    throw invalid('cache-to', text, 'compression-level must be 0 to 9 for gzip, 0 to 22 for zstd');
  // A cache is always an OCI image manifest: the other forms that Docker's builder knows are older ones of the same thing.
  for (const name of ['oci-mediatypes', 'image-manifest']) {
    if (!flag(fields, name, true, text)) throw invalid('cache-to', text, `${name} can only be true`);
  }
  return {
    mode,
    mounts: flag(fields, 'mounts', false, text),
    ignoreError: flag(fields, 'ignore-error', false, text),
    compression,
    compressionLevel: level === undefined ? undefined : Number(level),
    forceCompression: flag(fields, 'force-compression', false, text),
  };
}

function fieldsOf(text: string, option: string): Fields {
  if (!/[=,]/.test(text)) return { type: 'registry', ref: text };
  return parseFields(text, option);
}

function typeOf({ type }: Fields, option: string, text: string): string {
  if (type === undefined) throw invalid(option, text, 'it has no type=');
  return type;
}

function allow(fields: Fields, names: readonly string[], option: string, text: string): void {
  const unknown = Object.keys(fields).find((name) => name !== 'type' && !names.includes(name));
  if (unknown !== undefined)
    throw invalid(option, text, `type ${fields.type} has no option ${JSON.stringify(unknown)}`);
}

function required(fields: Fields, name: string, option: string, text: string): string {
  const value = fields[name];
  if (value === undefined || value === '') throw invalid(option, text, `it has no ${name}=`);
  return value;
}

function referenceIn(fields: Fields, option: string, text: string): string {
  return formatReference(parseReference(required(fields, 'ref', option, text)));
}

function flag(fields: Fields, name: string, otherwise: boolean, text: string): boolean {
  const value = fields[name];
  if (value === undefined) return otherwise;
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalid('cache-to', text, `${name} must be true or false`);
}

function unknownType(fields: Fields, known: string, option: string, text: string): TbuildError {
  return invalid(option, text, `type ${JSON.stringify(fields.type)} is none of ${known}`);
}

function invalid(option: string, text: string, reason: string): TbuildError {
  return new TbuildError('USAGE', `Option --${option} ${JSON.stringify(text)} is not valid: ${reason}`, {
    hint:
      option === 'cache-to'
        ? 'Write for example --cache-to type=registry,ref=HOST/NAME:cache,mode=max'
        : 'Write for example --cache-from HOST/NAME:cache',
  });
}
