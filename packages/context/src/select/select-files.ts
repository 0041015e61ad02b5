import type { CooperativeTask } from '@tbuild/concurrency';
import { cleanPath } from '../patterns/clean-path.ts';
import { compileGlob, hasWildcard } from '../patterns/glob.ts';
import { parseIgnorePattern } from '../patterns/ignore-pattern.ts';
import { compileIgnoreRules, type DirectoryMatch, type IgnoreRules } from '../patterns/ignore-rules.ts';
import type { PathExpression } from '../patterns/path-expression.ts';
import type { FileTree, TreeEntry } from '../tree/file-tree.ts';
import { typeOf } from '../tree/file-type.ts';
import { resolvePath } from '../tree/resolve-path.ts';
import { missingSource } from './missing-source.ts';
import { NO_FILES, SelectionList } from './selection-list.ts';
import type { SelectedFiles, SelectedSource, SelectOptions } from './selection.ts';

/**
 * Selects the files that the sources of a COPY name in a tree, in the order of the sources and of a pattern's matches. A pattern
 * without a match selects nothing. With `parents` each source selects from the root, or the part before `/./`, and includes the
 * directories that lead to a match.
 *
 * @throws TbuildError NOT_FOUND for a plain path that is missing and for a broken link, CONTEXT for a malformed pattern.
 */
export function* selectFiles(tree: FileTree, options: SelectOptions): CooperativeTask<readonly SelectedSource[]> {
  const exclude = options.exclude?.length ? compileIgnoreRules(options.exclude) : undefined;
  const selected: SelectedSource[] = [];
  for (const source of options.sources) {
    if (options.parents === true) selected.push(...(yield* selectWithParents(tree, source, exclude)));
    else
      for (const path of matchPaths(tree, cleanSource(source)))
        selected.push(yield* selectOne(tree, { pattern: source, path, exclude }));
  }
  return selected;
}

/** Cleans a source against the root, as Go does, so that it cannot lead out of it. */
function cleanSource(source: string): string {
  return cleanPath(`/${source}`).slice(1);
}

interface Match {
  readonly pattern: string;
  readonly path: string;
  readonly exclude?: IgnoreRules;
}

function* selectOne(tree: FileTree, { pattern, path, exclude }: Match): CooperativeTask<SelectedSource> {
  const resolved = resolvePath(tree, path, { followLast: true });
  const entry = resolved === undefined ? undefined : tree.stat(resolved);
  if (entry === undefined) throw missingSource(tree, path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const files = typeOf(entry.stats) === 'directory' ? yield* filesBelow(tree, entry, { exclude }) : NO_FILES;
  return { pattern, name, entry, files };
}

function* selectWithParents(
  tree: FileTree,
  source: string,
  exclude: IgnoreRules | undefined,
): CooperativeTask<SelectedSource[]> {
  const pivot = source.indexOf('/./');
  const base = pivot === -1 ? '' : cleanSource(source.slice(0, pivot));
  const pattern = cleanSource(pivot === -1 ? source : source.slice(pivot + 3));
  const required = [base, pattern].filter((part) => part !== '').join('/');
  if (!hasWildcard(required) && resolvePath(tree, required, { followLast: false }) === undefined) {
    throw missingSource(tree, required);
  }
  const include = pattern === '' ? undefined : compileInclude(pattern);
  const all: SelectedSource[] = [];
  for (const path of matchPaths(tree, base)) {
    const selected = yield* selectOne(tree, { pattern: source, path });
    const isDirectory = typeOf(selected.entry.stats) === 'directory';
    all.push(
      isDirectory ? { ...selected, files: yield* filesBelow(tree, selected.entry, { include, exclude }) } : selected,
    );
  }
  return all;
}

interface Filters {
  readonly include?: Include;
  readonly exclude?: IgnoreRules;
}

/** The state of a walk in a directory. */
interface Walk {
  /** The row of the directory in the selection. */
  readonly row?: number;
  readonly included?: DirectoryMatch;
  readonly excluded?: DirectoryMatch;
}

/** A pattern that must match the entry or a parent. */
interface Include {
  readonly rules: IgnoreRules;
  mayMatchBelow(directory: string): boolean;
}

function compileInclude(pattern: string): Include {
  const parsed = parseIgnorePattern(pattern);
  return {
    rules: compileIgnoreRules([pattern]),
    mayMatchBelow: (directory) => parsed?.reachesBelow(directory.split('/')) === true,
  };
}

/** Selects everything below a directory. Keeps a directory that the filters exclude, as implied, when it leads to a selected file. */
function* filesBelow(tree: FileTree, top: TreeEntry, filters: Filters): CooperativeTask<SelectedFiles> {
  const files = new SelectionList({ top: top.path });
  const skip = top.path === '' ? 0 : top.path.length + 1;
  const { include, exclude } = filters;

  function* walk(directory: TreeEntry, { row, included, excluded }: Walk): CooperativeTask {
    yield;
    for (const entry of tree.list(directory.path)) {
      const relative = skip === 0 ? entry.path : entry.path.slice(skip);
      const matches = include === undefined || included === undefined || include.rules.ignores(included, relative);
      const wanted =
        matches && (exclude === undefined || excluded === undefined || !exclude.ignores(excluded, relative));
      if (typeOf(entry.stats) !== 'directory') {
        if (wanted) files.push(entry, row);
        continue;
      }
      if (!matches && include?.mayMatchBelow(relative) === false) continue;
      const below = {
        included: included && include?.rules.enter(included, relative),
        excluded: excluded && exclude?.enter(excluded, relative),
      };
      if (below.excluded?.closed === true) continue;
      const own = files.push(entry, row, !wanted);
      const before = files.length;
      yield* walk(entry, { row: own, ...below });
      if (!wanted && files.length === before) files.pop();
    }
  }

  yield* walk(top, { included: include?.rules.root, excluded: exclude?.root });
  return files;
}

/** Returns the paths that a source names: itself, or the matches of its pattern below its part without wildcards. */
function matchPaths(tree: FileTree, source: string): string[] {
  if (!hasWildcard(source)) return [source];
  const elements = source.split('/');
  const first = elements.findIndex(hasWildcard);
  const prefix = elements.slice(0, first).join('/');
  const base = resolvePath(tree, prefix, { followLast: true });
  const entry = base === undefined ? undefined : tree.stat(base);
  if (base === undefined || entry === undefined) throw missingSource(tree, prefix);
  if (typeOf(entry.stats) !== 'directory') return [];
  const globs = elements.slice(first).map((element) => compileGlob(element));
  return matchBelow(tree, base, globs);
}

function matchBelow(tree: FileTree, directory: string, globs: readonly PathExpression[]): string[] {
  const [glob, ...rest] = globs;
  if (glob === undefined) return [directory];
  return tree
    .list(directory)
    .filter((entry) => glob.test(entry.name) && (rest.length === 0 || typeOf(entry.stats) === 'directory'))
    .flatMap((entry) => matchBelow(tree, entry.path, rest));
}
