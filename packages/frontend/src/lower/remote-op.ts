import { posix } from 'node:path';
import type { CopyInstruction, Word } from '@tbuild/dockerfile';
import { withoutCredentials } from '@tbuild/errors';
import type { GitOp, HttpOp } from '@tbuild/graph';
import { isDigest, type Digest } from '@tbuild/oci';
import type { parseGitSource } from '../git-source.ts';
import { semanticError } from './lowering.ts';

/** Returns the op that fetches the URL in an ADD. */
export function httpOpOf({ text: url }: Word, checksum: string, instruction: CopyInstruction): HttpOp {
  return {
    kind: 'http',
    url,
    filename: fileNameOf(url),
    ...(checksum === '' ? {} : { checksum: readDigest(checksum, instruction) }),
  };
}

/**
 * Returns the op that checks out the repository in an ADD.
 * @throws TbuildError DOCKERFILE_SEMANTICS for a source that is not valid, or when it and the flags disagree.
 */
export function gitOpOf(
  word: Word,
  git: NonNullable<ReturnType<typeof parseGitSource>>,
  { instruction, checksum }: { readonly instruction: CopyInstruction; readonly checksum: string },
): GitOp {
  if ('wrong' in git)
    throw semanticError(
      `Git source ${JSON.stringify(withoutCredentials(word.text))} is not valid: ${git.wrong}`,
      word.location,
    );
  const { keepGitDir, checksum: checksumOption } = instruction;
  if (git.keepGitDir !== undefined && keepGitDir !== undefined && git.keepGitDir !== keepGitDir) {
    throw semanticError('The source and --keep-git-dir disagree', word.location);
  }
  if (git.checksum !== undefined && checksum !== '' && git.checksum !== checksum) {
    throw semanticError('The source and --checksum disagree', checksumOption?.location ?? word.location);
  }
  const wanted = git.checksum ?? checksum;
  return {
    kind: 'git',
    url: git.url,
    ...(git.ref === undefined ? {} : { ref: git.ref }),
    ...(git.subdirectory === undefined ? {} : { subdirectory: git.subdirectory }),
    keepGitDir: git.keepGitDir ?? keepGitDir ?? false,
    submodules: git.submodules ?? true,
    ...(git.commitTime === true ? { commitTime: true } : {}),
    ...(git.byCommit === true ? { byCommit: true } : {}),
    ...(wanted === '' ? {} : { checksum: wanted }),
  };
}

function readDigest(text: string, { checksum, location }: CopyInstruction): Digest {
  if (isDigest(text)) return text;
  const message = `Checksum ${JSON.stringify(text)} is not of the form sha256:<64 hex digits>`;
  throw semanticError(message, checksum?.location ?? location);
}

/** Returns the last element of the URL's path, decoded. */
function fileNameOf(url: string): string {
  if (!URL.canParse(url)) return UNNAMED;
  const { pathname } = new URL(url);
  const name = decode(posix.basename(pathname));
  return name === '' || name === '.' || name.includes('/') ? UNNAMED : name;
}

const UNNAMED = '__unnamed__';

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
