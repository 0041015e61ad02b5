import { chmodSync, chownSync, readFileSync, realpathSync, statSync } from 'node:fs';
import type { CheckOptions } from '@tbuild/dockerfile';
import { fixDockerfile, type Fixed } from '@tbuild/dockerfile/fix';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import { writeAtomically } from '@tbuild/store';

/** A Dockerfile that is corrected: a path, or standard input. */
export interface FixableFile {
  /** Undefined for standard input. */
  readonly path?: string;
  /** The name that people read. */
  readonly name: string;
}

/** A text, its correction and what was corrected. */
export interface Correction {
  readonly before: string;
  readonly after: string;
  readonly fixed: readonly Fixed[];
}

/**
 * Reads a Dockerfile and corrects its text. Notes the text in `sources` for errors.
 * @throws TbuildError NOT_FOUND, DOCKERFILE_SYNTAX, USAGE for bytes that are not UTF-8.
 */
export function correctFile(
  { path, name }: FixableFile,
  options: CheckOptions | undefined,
  sources: Map<string, string>,
): Correction {
  const what = `Dockerfile ${JSON.stringify(name)}`;
  const bytes = path === undefined ? readFileSync(0) : readLimitedFile(path, { what });
  if (bytes === undefined) throw new TbuildError('NOT_FOUND', `There is no ${what}`);
  const before = bytes.toString();
  if (!Buffer.from(before).equals(bytes))
    throw new TbuildError('USAGE', `${what} cannot be corrected: it is not UTF-8`, { hint: 'Convert it with iconv' });
  sources.set(name, before);
  const { text, fixed } = fixDockerfile(before, name, options);
  return { before, after: text, fixed };
}

/** Replaces a file, or that behind a link, at once. Its mode and owner stay. */
export function replaceFile(path: string, text: string): void {
  const file = realpathSync(path);
  const { mode, uid, gid } = statSync(file);
  writeAtomically(file, text, { mode: 0o600 });
  const made = statSync(file);
  if (made.uid !== uid || made.gid !== gid) chownSync(file, uid, gid);
  chmodSync(file, mode & 0o7777);
}
