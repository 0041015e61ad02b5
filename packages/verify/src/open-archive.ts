import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LocalStore } from '@tbuild/content';
import type { UnpackLimits } from '@tbuild/diff';
import { hasCode, TbuildError } from '@tbuild/errors';
import { openInput } from '@tbuild/linux';
import { formatReference, parseReference } from '@tbuild/oci';
import { openArchive, type LoadedImage } from '@tbuild/sources';
import type { ImagePlace } from './read-image.ts';

/** Where archives are, and where their files are written to. */
export interface Archives {
  /** The directory that paths start from. */
  readonly cwd: string;
  /** A store of its own: what it holds was not checked. */
  readonly unpacked: LocalStore;
  /** What an archive may take. */
  readonly unpackLimits?: UnpackLimits;
}

/** A file with images: of `docker save`, or an OCI layout. */
export interface ArchiveName {
  readonly path: string;
  /** The name of one of its images. */
  readonly image?: string;
}

/**
 * Reads `docker-archive:FILE[:IMAGE]`, `oci-archive:FILE[:IMAGE]`, or the path of a file. A name that may be that of an image
 * is a path only if it ends as the name of an archive and the file exists.
 */
export function archiveNamed(name: string, { cwd }: Pick<Archives, 'cwd'>): ArchiveName | undefined {
  const [, path, image] = /^(?:docker|oci)-archive:([^:]+)(?::(.+))?$/.exec(name) ?? [];
  if (path !== undefined) return { path: resolve(cwd, path), ...(image === undefined ? {} : { image }) };
  const whole = resolve(cwd, name);
  if (/^\.{0,2}\//.test(name)) return { path: whole };
  const isFile = /\.(?:tar|tgz|gz|zst)$/.test(name) && statSync(whole, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? { path: whole } : undefined;
}

/**
 * Finds an image in an archive.
 * @throws TbuildError NOT_FOUND, USAGE for another file, SNAPSHOT for one that is damaged.
 */
export async function openInArchive(
  { path, image }: ArchiveName,
  { unpacked, unpackLimits }: Archives,
  signal: AbortSignal,
): Promise<Omit<ImagePlace, 'name'>> {
  const what = `Archive ${JSON.stringify(path)}`;
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw new TbuildError('NOT_FOUND', `${what} does not exist`);
  try {
    const bytes = openInput(path, { what, code: 'USAGE' }, signal);
    const { images, provider } = await openArchive(bytes, { content: unpacked, unpackLimits }, signal);
    return { root: choose(images, image, what).target, content: provider };
  } catch (cause) {
    // A limit that the archive exceeds has a hint.
    if (!hasCode(cause, 'SNAPSHOT') || cause.hint !== undefined) throw cause;
    throw new TbuildError('SNAPSHOT', `${what} cannot be read: it is damaged or not an archive`, { cause });
  }
}

function choose(images: readonly LoadedImage[], wanted: string | undefined, what: string): LoadedImage {
  const fits = ({ target, names }: LoadedImage): boolean =>
    wanted === undefined ||
    target.digest === wanted ||
    names.some((name) => name.tag === wanted || formatReference(name) === formatReference(parseReference(wanted)));
  const [found, ...more] = images.filter(fits);
  if (found !== undefined && more.length === 0) return found;
  const known = images.map(({ target, names: [name] }) => (name === undefined ? target.digest : formatReference(name)));
  throw new TbuildError('NOT_FOUND', `${what} holds ${found === undefined ? 'no such image' : 'several images'}`, {
    hint:
      known.length === 0
        ? 'Save an image into it'
        : `Choose one with docker-archive:FILE:IMAGE from ${known.slice(0, 10).join(', ')}`,
  });
}
