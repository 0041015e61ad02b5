import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { applyLayer } from './apply-layer.ts';
import { type IndexNode, indexTree } from './tree-index.ts';

/** A tree as a plain directory, used by one step at a time. */
export interface WorkingTree {
  readonly root: string;
  /** The metadata of everything in it. */
  readonly index: IndexNode;
}

export interface WorkingTrees extends Disposable {
  /** Returns a tree of these directories, bottom first. It reuses a kept tree that they continue. */
  take(directories: readonly string[]): WorkingTree;
  /** Keeps a tree for a step that continues these directories. The directories may be renamed meanwhile. */
  keep(tree: WorkingTree, directories: readonly string[]): void;
  discard(tree: Pick<WorkingTree, 'root'>): void;
}

export interface WorkingTreeOptions {
  /** Takes the trees. */
  readonly directory: string;
  readonly flavour: OverlayFlavour;
  /** Disposes of a directory that is no longer needed. */
  readonly discard?: (directory: string) => void;
}

interface KeptTree extends WorkingTree {
  readonly made: readonly string[];
}

/** More branches than this rarely wait at the same time; each tree is a copy of all its files. */
const MAX_KEPT = 4;

/** Creates and keeps trees. */
export function openWorkingTrees({ directory, flavour, discard = removeAll }: WorkingTreeOptions): WorkingTrees {
  let kept: KeptTree[] = [];
  const makeRoot = (): string => {
    makeDirectory(directory, { mode: 0o711 });
    for (const abandoned of abandonedIn(directory)) discard(abandoned);
    const place = mkdtempSync(join(directory, `tree-${process.pid}-`));
    mkdirSync(join(place, 'root'));
    return join(place, 'root');
  };
  const drop = (root: string): void => discard(join(root, '..'));
  return {
    take(directories) {
      const wanted = directories.map(identityOf);
      const tree = kept.filter(({ made }) => isPrefix(made, wanted)).sort((a, b) => b.made.length - a.made.length)[0];
      kept = kept.filter((one) => one !== tree);
      const rest = directories
        .slice(tree?.made.length ?? 0)
        .filter((layer) => tree === undefined || readdirSync(layer).length > 0);
      if (tree !== undefined && rest.length === 0) return { root: tree.root, index: tree.index };
      const root = tree?.root ?? makeRoot();
      for (const layer of rest) applyLayer(root, layer, flavour);
      return { root, index: indexTree(root) };
    },
    keep({ root, index }, directories) {
      kept.push({ root, index, made: directories.map(identityOf) });
      for (const old of kept.splice(0, kept.length - MAX_KEPT)) drop(old.root);
    },
    discard: ({ root }) => drop(root),
    [Symbol.dispose]() {
      for (const { root } of kept) drop(root);
      kept = [];
    },
  };
}

/** Returns the trees of killed processes. */
function abandonedIn(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const pid = /^tree-(\d+)-/.exec(name)?.[1];
    return pid === undefined || existsSync(`/proc/${pid}`) ? [] : [join(directory, name)];
  });
}

/** Returns an identity that a rename, as at a commit, does not change. */
function identityOf(directory: string): string {
  const { dev, ino, birthtimeMs } = lstatSync(directory);
  return `${dev}:${ino}:${birthtimeMs}`;
}

function isPrefix(made: readonly string[], wanted: readonly string[]): boolean {
  return made.length <= wanted.length && made.every((identity, index) => identity === wanted[index]);
}

function removeAll(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
