import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { BuildResult } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { formatReference, formatRepository, parseReference } from '@tbuild/oci';
import type { Environment } from '../config/environment.ts';
import type { FlagValues } from '../flags/args.ts';
import type { buildFlags } from '../flags/build-flags.ts';
import { buildMetadata, type MetadataParts, warningMetadata } from './build-metadata.ts';
import { cycloneDxOf } from './cyclonedx-file.ts';
import { isOfDisk, systemReason } from './unexpected-error.ts';

type ResultFlag =
  | 'iidfile'
  | 'metadata-file'
  | 'digest-file'
  | 'dotenv-file'
  | 'cyclonedx-file'
  | 'report'
  | 'image-name-with-digest-file'
  | 'image-name-tag-with-digest-file';

type ResultFlags = Pick<FlagValues<typeof buildFlags>, ResultFlag>;

const RESULT_FLAGS: readonly ResultFlag[] = [
  'iidfile',
  'metadata-file',
  'digest-file',
  'dotenv-file',
  'cyclonedx-file',
  'report',
  'image-name-with-digest-file',
  'image-name-tag-with-digest-file',
];

/**
 * Checks that the files can be written, before the build takes its time.
 * @throws TbuildError USAGE when one cannot, SYSTEM when the disk is the reason.
 */
export function checkResultFiles(flags: ResultFlags, cwd: string): void {
  for (const name of RESULT_FLAGS) {
    const path = flags[name];
    if (path !== undefined) writing(name, path, () => requireWritable(resolve(cwd, path)));
  }
}

function requireWritable(path: string): void {
  const isThere = statSync(path, { throwIfNoEntry: false });
  if (isThere?.isDirectory()) throw Object.assign(new Error('it is a directory'), { errno: 0 });
  accessSync(isThere === undefined ? dirname(path) : path, constants.W_OK);
}

function writing(option: ResultFlag, path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (!(cause instanceof Error) || !('errno' in cause)) throw cause;
    const message = `Cannot write the file of --${option}, ${JSON.stringify(path)}: ${systemReason(cause) ?? cause.message}`;
    if (isOfDisk(cause)) throw new TbuildError('SYSTEM', message, { cause });
    throw new TbuildError('USAGE', message, {
      hint: 'Name a file in a directory that exists and that you may write to',
      cause,
    });
  }
}

/**
 * Writes the files that tell other programs the result: its ID, its metadata, and as kaniko does its digest alone or
 * behind each name.
 * @throws TbuildError USAGE for a digest when no output made an image, and for a file that cannot be written.
 */
export function writeResultFiles(
  result: BuildResult,
  flags: ResultFlags,
  { cwd, metadata }: Pick<Environment, 'cwd'> & { readonly metadata: MetadataParts },
): void {
  const contents: Partial<Record<ResultFlag, () => string>> = {
    iidfile: () => result.id,
    'metadata-file': () => {
      const document = buildMetadata(result, metadata.provenance);
      return jsonText(metadata.warnings ? { ...document, ...warningMetadata(result.warnings) } : document);
    },
    'digest-file': () => digestOf(result),
    'dotenv-file': () => dotenv(result),
    'image-name-with-digest-file': () => names(result, { tagged: false }),
    'image-name-tag-with-digest-file': () => names(result, { tagged: true }),
  };
  for (const name of RESULT_FLAGS) {
    const [path, content] = [flags[name], contents[name]];
    if (path !== undefined && content !== undefined)
      writing(name, path, () => writeFileSync(resolve(cwd, path), content()));
  }
}

/** Writes a document to the file of `--metadata-file`. @throws TbuildError USAGE for a file that cannot be written. */
export function writeMetadata(document: object, flags: Pick<ResultFlags, 'metadata-file'>, cwd: string): void {
  const path = flags['metadata-file'];
  if (path === undefined) return;
  writing('metadata-file', path, () => writeFileSync(resolve(cwd, path), jsonText(document)));
}

/**
 * Writes the names and digests of a bake's images to the file of `--dotenv-file`, for each target under names of its own.
 * @throws TbuildError USAGE for a file that cannot be written.
 */
export function writeDotenv(
  results: ReadonlyMap<string, BuildResult>,
  flags: Pick<ResultFlags, 'dotenv-file'>,
  cwd: string,
): void {
  const path = flags['dotenv-file'];
  if (path === undefined) return;
  const images = [...results].filter(([, { manifest }]) => manifest !== undefined);
  const text = images.map(([target, result]) => dotenv(result, dotenvSuffix(target))).join('');
  writing('dotenv-file', path, () => writeFileSync(resolve(cwd, path), text));
}

/**
 * Checks that the variables of each target have names of their own, before the build takes its time.
 * @throws TbuildError USAGE
 */
export function checkDotenvNames(targets: readonly string[], { 'dotenv-file': path }: ResultFlags): void {
  if (path === undefined) return;
  const seen = new Map<string, string>();
  for (const target of targets) {
    const suffix = dotenvSuffix(target);
    const other = seen.get(suffix);
    if (other !== undefined)
      throw new TbuildError(
        'USAGE',
        `Targets ${JSON.stringify(other)} and ${JSON.stringify(target)} would both be TBUILD_IMAGE${suffix} of --dotenv-file`,
        { hint: 'Rename one of them, or build them apart' },
      );
    seen.set(suffix, target);
  }
}

/** Names of variables have no other characters. */
function dotenvSuffix(target: string): string {
  return `_${target.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

/** Writes the SBOMs of builds to the file of `--cyclonedx-file`. @throws TbuildError USAGE for a file that cannot be written. */
export async function writeCycloneDx(
  results: readonly BuildResult[],
  flags: Pick<ResultFlags, 'cyclonedx-file'>,
  cwd: string,
): Promise<void> {
  const path = flags['cyclonedx-file'];
  if (path === undefined) return;
  const text = jsonText(await cycloneDxOf(results));
  writing('cyclonedx-file', path, () => writeFileSync(resolve(cwd, path), text));
}

/** Writes a page to the file of `--report`. @throws TbuildError USAGE for a file that cannot be written. */
export function writeReport(page: string, path: string, cwd: string): void {
  writing('report', path, () => writeFileSync(resolve(cwd, path), page));
}

function jsonText(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

function digestOf({ manifest }: Pick<BuildResult, 'manifest'>): string {
  if (manifest !== undefined) return manifest.digest;
  throw new TbuildError('USAGE', 'No image was produced, so there is no digest to write', {
    hint: 'Use -o type=image, registry, docker or oci',
  });
}

/** Names with a digest can be pulled from a registry; the image without a name has only its digest. */
export function dotenv(result: Pick<BuildResult, 'names' | 'manifest'>, suffix = ''): string {
  const [name] = result.names;
  const [reference = ''] = names(result, { tagged: false }).split('\n');
  const lines = name === undefined ? {} : { TBUILD_IMAGE: name, TBUILD_REFERENCE: reference };
  return Object.entries({ ...lines, TBUILD_DIGEST: digestOf(result) })
    .map(([key, value]) => `${key}${suffix}=${value}\n`)
    .join('');
}

function names(result: Pick<BuildResult, 'names' | 'manifest'>, { tagged }: { readonly tagged: boolean }): string {
  const digest = digestOf(result);
  const lines = result.names.map((name) => {
    const reference = parseReference(name);
    return `${tagged ? formatReference({ ...reference, digest: undefined }) : formatRepository(reference)}@${digest}\n`;
  });
  return [...new Set(lines)].join('');
}
