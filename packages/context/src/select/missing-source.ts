import { readlinkSync } from 'node:fs';
import { suggest, TbuildError } from '@tbuild/errors';
import type { FileTree } from '../tree/file-tree.ts';
import { typeOf } from '../tree/file-type.ts';

/** Returns the error for a source that is not in the tree, with a hint. */
export function missingSource(tree: FileTree, path: string): TbuildError {
  const hint = tree.explainMissing?.(path) ?? brokenLink(tree, path) ?? similarName(tree, path);
  return new TbuildError('NOT_FOUND', `${JSON.stringify(`/${path}`)}: not found`, { hint, subject: path });
}

function brokenLink(tree: FileTree, path: string): string | undefined {
  const entry = tree.stat(path);
  if (entry === undefined || typeOf(entry.stats) !== 'symlink') return undefined;
  return `It is a symbolic link to ${JSON.stringify(readlinkSync(entry.location))}, which is missing`;
}

function similarName(tree: FileTree, path: string): string | undefined {
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  const entry = tree.stat(parent);
  if (entry === undefined || typeOf(entry.stats) !== 'directory') return undefined;
  const names = tree.list(parent).map((child) => child.name);
  const similar = suggest(path.slice(path.lastIndexOf('/') + 1), names);
  return similar === undefined
    ? undefined
    : `Did you mean ${JSON.stringify(parent === '' ? similar : `${parent}/${similar}`)}?`;
}
