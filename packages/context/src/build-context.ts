import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import { decodeText } from './decode-text.ts';
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
  /** The path of the Dockerfile, absolute or relative to the directory. An ignore file beside it, named after it, takes precedence. */
  readonly dockerfile?: string;
  /** The path on disk of an ignore file to use instead. */
  readonly ignoreFile?: string;
  /** False for fetched contexts, to which Docker applies no ignore file. Default: true. */
  readonly ignoreFiles?: boolean;
}

/**
 * Opens a directory as build context. Applies the first of `<Dockerfile>.dockerignore`, `<Dockerfile>.containerignore`, and
 * `.dockerignore` and `.containerignore` in the root that exists, never several.
 *
 * @throws TbuildError CONTEXT when the directory or its ignore file cannot be read, or a pattern is malformed.
 */
export function openContext(directory: string, options: ContextOptions = {}): BuildContext {
  const root = resolve(directory);
  const plain = openDirectory(root);
  if (plain.stat('') === undefined)
    throw new TbuildError('CONTEXT', `Context ${JSON.stringify(directory)} is not a directory`);
  const ignored = options.ignoreFiles === false ? undefined : findIgnoreFile(root, options);
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
  root: string,
  { dockerfile, ignoreFile }: ContextOptions,
): { file: string; rules: IgnoreRules } | undefined {
  const file = ignoreFile ?? ignoreFileOf(root, dockerfile);
  const text = file === undefined ? undefined : readIfPresent(file);
  if (ignoreFile !== undefined && text === undefined)
    throw new TbuildError('CONTEXT', `Ignore file ${JSON.stringify(ignoreFile)} does not exist`);
  if (file === undefined || text === undefined) return undefined;
  const lines = readIgnoreLines(text);
  return lines.length === 0 ? undefined : { file, rules: compileRules(file, lines) };
}

/**
 * Returns the path of the ignore file that applies to a directory and a Dockerfile, if there is one. A Containerfile
 * prefers those of its own name.
 */
export function ignoreFileOf(directory: string, dockerfile?: string): string | undefined {
  const plain = openDirectory(directory);
  const own = dockerfile === undefined ? undefined : resolve(directory, dockerfile);
  const names = ['.dockerignore', '.containerignore'];
  if (own !== undefined && /(?:^|\/)Containerfile[^/]*$/.test(own)) names.reverse();
  const beside = own === undefined ? undefined : names.map((name) => own + name).find((path) => existsSync(path));
  if (beside !== undefined) return beside;
  const common = names.flatMap((name) => resolvePath(plain, name, { followLast: true }) ?? [])[0];
  return common === undefined ? undefined : `${directory}/${common}`;
}

function readIfPresent(file: string): string | undefined {
  const what = `Ignore file ${JSON.stringify(file)}`;
  const bytes = readLimitedFile(file, { what });
  return bytes && decodeText(bytes, what);
}

function compileRules(file: string, lines: readonly string[]): IgnoreRules {
  try {
    return compileIgnoreRules(lines);
  } catch (error) {
    throw error instanceof TbuildError
      ? new TbuildError('CONTEXT', `${error.message} in ${JSON.stringify(file)}`, { hint: error.hint, cause: error })
      : error;
  }
}

function readTextIn(plain: FileTree, path: string): string {
  const resolved = resolvePath(plain, path, { followLast: true });
  const entry = resolved === undefined ? undefined : plain.stat(resolved);
  const what = `File ${JSON.stringify(path)}`;
  const bytes = entry === undefined ? undefined : readLimitedFile(entry.location, { what: `${what} of the context` });
  if (bytes === undefined) throw new TbuildError('NOT_FOUND', `${what} is not in the context`);
  return decodeText(bytes, what);
}
