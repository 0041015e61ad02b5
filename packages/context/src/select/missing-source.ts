import { readlinkSync } from 'node:fs';
import { suggest, TbuildError } from '@tbuild/errors';
import type { FileTree } from '../tree/file-tree.ts';
import { typeOf } from '../tree/file-type.ts';

/** Returns the error for a source that is not in the tree, with a hint. */
export function missingSource(tree: FileTree, path: string): TbuildError {
  const hint = tree.explainMissing?.(path) ?? brokenLink(tree, path) ?? similarName(tree, path);
  return new TbuildError('NOT_FOUND', `Failed to compute cache key: ${JSON.stringify(`/${path}`)}: not found`, {
    hint,
    subject: path,
  });
}

function brokenLink(tree: FileTree, path: string): string | undefined {
  const entry = tree.stat(path);
  if (entry === undefined || typeOf(entry.stats) !== 'symlink') return undefined;
  return `Check its target: it is a symbolic link to ${JSON.stringify(readlinkSync(entry.location))}, which is missing`;
}

/** Suggests a name for the first part of the path that is missing. */
function similarName(tree: FileTree, path: string): string | undefined {
  const parts = path.split('/');
  for (let depth = parts.length - 1; depth >= 0; depth--) {
    const parent = parts.slice(0, depth).join('/');
    const entry = tree.stat(parent);
    if (entry === undefined) continue;
    if (typeOf(entry.stats) !== 'directory') return undefined;
    const name = parts[depth] ?? '';
    const similar = suggest(
      name,
      tree.list(parent).map((child) => child.name),
    );
    return similar === undefined
      ? undefined
      : `Did you mean ${JSON.stringify([...parts.slice(0, depth), similar, ...parts.slice(depth + 1)].join('/'))}?`;
  }
  return undefined;
}
