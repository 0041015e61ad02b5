import { relative, resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import { compileIgnoreRules, type IgnoreRules, readIgnoreLines } from './patterns/ignore-rules.ts';
import type { FileTree } from './tree/file-tree.ts';
import { openFilteredTree } from './tree/filtered-tree.ts';
import { openDirectory } from './tree/open-directory.ts';
import { resolvePath } from './tree/resolve-path.ts';

/** The directory that a build may read from. */
export interface BuildContext {
  readonly root: string;
  /** The files that COPY sees: all that the ignore file does not exclude. */
  readonly tree: FileTree;
  /** The path on disk of the ignore file that applies. */
  readonly ignoreFile?: string;
  /**
   * Reports whether the ignore file excludes everything that a path or pattern names. Returns false when the file has
   * exceptions: then it depends on the files.
   */
  isIgnored(path: string): boolean;
  /**
   * Returns a file's text, ignored or not. Follows links inside the root.
   *
   * @throws TbuildError NOT_FOUND when there is no such file.
   */
  readText(path: string): string;
}

export interface ContextOptions {
  /** The path of the Dockerfile, relative to the directory. An ignore file named after it takes precedence. */
  readonly dockerfile?: string;
  /** False for fetched contexts, to which Docker applies no ignore file. Default: true. */
  readonly ignoreFiles?: boolean;
}

/**
 * Opens a directory as build context. Applies `<Dockerfile>.dockerignore`, or else `.dockerignore` in the root, never both.
 *
 * @throws TbuildError CONTEXT when the directory or its ignore file cannot be read, USAGE for a malformed pattern.
 */
export function openContext(directory: string, options: ContextOptions = {}): BuildContext {
  const root = resolve(directory);
  const plain = openDirectory(root);
  if (plain.stat('') === undefined)
    throw new TbuildError('CONTEXT', `Context ${JSON.stringify(directory)} is not a directory`);
  const ignored = options.ignoreFiles === false ? undefined : findIgnoreFile(plain, root, options.dockerfile);
  const tree = ignored === undefined ? plain : openFilteredTree(root, ignored.rules, relative(root, ignored.file));
  const isIgnored = (path: string): boolean => ignored !== undefined && isExcluded(path, ignored.rules);
  return { root, tree, ignoreFile: ignored?.file, isIgnored, readText: (path) => readTextIn(plain, path) };
}

/** A name that only patterns match which match every name. */
const ANY_NAME = '\u0001\u0001';

/** Docker tests the path and each of its parents. Only patterns such as `*` exclude the whole context. */
function isExcluded(path: string, rules: IgnoreRules): boolean {
  if (rules.hasExceptions || path.startsWith('/') || path === '..' || path.startsWith('../')) return false;
  let match = rules.root;
  const elements = path === '.' || path === '' ? [ANY_NAME] : path.split('/');
  for (let depth = 1; depth < elements.length; depth++) match = rules.enter(match, elements.slice(0, depth).join('/'));
  return rules.ignores(match, elements.join('/'));
}

function findIgnoreFile(
  plain: FileTree,
  root: string,
  dockerfile?: string,
): { file: string; rules: IgnoreRules } | undefined {
  const own = dockerfile === undefined ? undefined : `${resolve(root, dockerfile)}.dockerignore`;
  const common = resolvePath(plain, '.dockerignore', { followLast: true });
  for (const file of [own, common === undefined ? undefined : `${root}/${common}`]) {
    const text = file === undefined ? undefined : readIfPresent(file);
    if (file === undefined || text === undefined) continue;
    const lines = readIgnoreLines(text);
    return lines.length === 0 ? undefined : { file, rules: compileRules(file, lines) };
  }
  return undefined;
}

function readIfPresent(file: string): string | undefined {
  return readLimitedFile(file, { what: `Ignore file ${JSON.stringify(file)}` })?.toString();
}

function compileRules(file: string, lines: readonly string[]): IgnoreRules {
  try {
    return compileIgnoreRules(lines);
  } catch (error) {
    throw error instanceof TbuildError
      ? new TbuildError(error.code, `${error.message} in ${JSON.stringify(file)}`, { cause: error })
      : error;
  }
}

function readTextIn(plain: FileTree, path: string): string {
  const resolved = resolvePath(plain, path, { followLast: true });
  const entry = resolved === undefined ? undefined : plain.stat(resolved);
  const what = `File ${JSON.stringify(path)}`;
  const bytes = entry === undefined ? undefined : readLimitedFile(entry.location, { what: `${what} of the context` });
  if (bytes === undefined) throw new TbuildError('NOT_FOUND', `${what} is not in the context`);
  return bytes.toString();
}
