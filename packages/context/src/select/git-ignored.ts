import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readLimitedFile } from '@tbuild/linux';
import createIgnore, { type Ignore } from 'ignore';
import type { TreeEntry } from '../tree/file-tree.ts';
import { typeOf } from '../tree/file-type.ts';
import type { SelectedSource } from './selection.ts';

/** The part of a selection that git ignores. */
export interface GitIgnored {
  readonly files: number;
  readonly bytes: number;
  readonly total: { readonly files: number; readonly bytes: number };
  /** The files and directories that are ignored as a whole, largest first. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[];
}

/** Smaller contexts are not measured. */
const LARGE = { files: 5000, bytes: 50_000_000 };

/**
 * Measures how much of a selection in the context `root` git ignores. Returns undefined unless the selection is large and
 * `.gitignore` files exclude most of it. Reads only those files.
 */
export function measureGitIgnored(root: string, selection: readonly SelectedSource[]): GitIgnored | undefined {
  const total = { files: 0, bytes: 0 };
  for (const { stats } of entriesOf(selection)) {
    if (typeOf(stats) === 'directory') continue;
    total.files += 1;
    total.bytes += stats.size;
  }
  if (total.files <= LARGE.files && total.bytes <= LARGE.bytes) return undefined;
  const rules = openRules(root);
  const whole = new Map<string, number>();
  const ignored = { files: 0, bytes: 0 };
  let current: string | undefined;
  for (const { path, name, stats } of entriesOf(selection)) {
    const isDirectory = typeOf(stats) === 'directory';
    const inside = current !== undefined && path.startsWith(`${current}/`);
    if (name === '.gitignore' && !inside) rules.add(path);
    if (!inside) current = rules.ignores(path, isDirectory) ? path : undefined;
    if (current === undefined || isDirectory) continue;
    ignored.files += 1;
    ignored.bytes += stats.size;
    whole.set(current, (whole.get(current) ?? 0) + stats.size);
  }
  if (ignored.files * 2 <= total.files && ignored.bytes * 2 <= total.bytes) return undefined;
  const largest = [...whole].map(([path, bytes]) => ({ path, bytes })).sort((a, b) => b.bytes - a.bytes);
  return { ...ignored, total, largest: largest.slice(0, 3) };
}

function* entriesOf(selection: readonly SelectedSource[]): Generator<TreeEntry, void> {
  for (const { entry, files } of selection) {
    if (files.length === 0) yield entry;
    else for (const file of files) yield file.entry;
  }
}

interface GitRules {
  /** Adds the `.gitignore` at this path of the context. */
  add(path: string): void;
  ignores(path: string, isDirectory: boolean): boolean;
}

/** Reads the rules of the context's repository, from its top directory down to the context. */
function openRules(root: string): GitRules {
  const top = topOf(root);
  const prefix = relative(top, root);
  const byDirectory = new Map<string, Ignore>();
  const add = (directory: string): void => {
    const text = readIfPresent(join(top, directory, '.gitignore'));
    if (text !== undefined) byDirectory.set(directory, createIgnore().add(simplePatterns(text)));
  };
  for (let directory = prefix; ; directory = parentOf(directory)) {
    add(directory);
    if (directory === '') break;
  }
  return {
    add: (path) => add(parentOf(join(prefix, path))),
    ignores(path, isDirectory) {
      if (path === '' || byDirectory.size === 0) return false;
      const full = (prefix === '' ? path : `${prefix}/${path}`) + (isDirectory ? '/' : '');
      for (let directory = parentOf(full); ; directory = parentOf(directory)) {
        const below = directory === '' ? full : full.slice(directory.length + 1);
        const verdict = byDirectory.get(directory)?.test(below);
        // The nearest file with a matching pattern decides.
        if (verdict?.ignored || verdict?.unignored) return verdict.ignored;
        if (directory === '') return false;
      }
    },
  };
}

/** Skips patterns with more than two `*`: the time of the `ignore` package is exponential in their number. */
function simplePatterns(text: string): string[] {
  return text.split(/\r?\n/u).filter((line) => (line.match(/\*+/gu)?.length ?? 0) <= 2);
}

/** Returns the repository's directory, or the context itself if it is in no repository. */
function topOf(root: string): string {
  for (let directory = root; ; directory = dirname(directory)) {
    if (existsSync(join(directory, '.git'))) return directory;
    if (directory === dirname(directory)) return root;
  }
}

/** Returns the directory of a path, which may end in a slash. */
function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/', path.length - 2)));
}

function readIfPresent(file: string): string | undefined {
  try {
    return readLimitedFile(file, { what: file })?.toString();
  } catch {
    // The build does not depend on it.
    return undefined;
  }
}
