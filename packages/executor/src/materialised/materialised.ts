import { setTimeout } from 'node:timers/promises';
import type { Mount, OverlayFlavour } from '@tbuild/snapshot';
import type { Executor, Sandbox } from '../executor.ts';
import { openWorkingTrees, type WorkingTree, type WorkingTrees } from './working-trees.ts';
import { writeChanges } from './write-changes.ts';

export interface MaterialisedOptions {
  /** Takes the trees; each is a copy of all files of its step. */
  readonly runDirectory: string;
  readonly flavour: OverlayFlavour;
  /** Disposes of a directory that is no longer needed. Default: deletes it. */
  readonly discard?: (directory: string) => void;
}

/** An executor that keeps trees until it is disposed. */
export type DisposableExecutor = Executor & Disposable;

/**
 * Wraps an executor for machines that cannot mount overlays: `inner` gets sandboxes whose tree is a plain directory.
 * After a step, changes are found by the metadata of the files and written to the sandbox's `upper`. The
 * directory passes to the step that continues the tree; only a branch copies it.
 */
export function withMaterialisedTrees(inner: Executor, options: MaterialisedOptions): DisposableExecutor {
  const { runDirectory, flavour, discard } = options;
  const trees = openWorkingTrees({ directory: runDirectory, flavour, discard });
  return {
    name: inner.name,
    async run(sandbox, io, signal) {
      const { upper, lowers } = sandbox.root;
      using views = materialiseViews(sandbox, trees);
      const tree = trees.take([...lowers, upper]);
      try {
        await setTimeout(CLOCK_TICK_MS);
        const result = await inner.run(onTree({ ...sandbox, mounts: views.mounts }, tree), io, signal);
        const write = (): ReturnType<typeof writeChanges> =>
          writeChanges(tree.root, tree.index, { upper, lowers, flavour });
        if (result.exitCode !== 0) {
          attempt(write);
          trees.discard(tree);
          return result;
        }
        const index = write();
        trees.keep({ root: tree.root, index }, [...lowers, upper]);
        return result;
      } catch (error) {
        trees.discard(tree);
        throw error;
      }
    },
    [Symbol.dispose]: () => trees[Symbol.dispose](),
  };
}

/** The changes of a failed step are only for looking at. It may have failed because the disk is full. */
function attempt(write: () => void): void {
  try {
    write();
  } catch {
    // What is there is there.
  }
}

/** The granularity of the kernel's clock. A change within the same tick as the indexing would be missed. */
const CLOCK_TICK_MS = 11;

function onTree(sandbox: Sandbox, { root }: WorkingTree): Sandbox {
  const mount = { type: 'bind', source: root, options: ['bind'], directory: root } as const;
  return { ...sandbox, root: { upper: root, lowers: [], mount } };
}

/** Mounts of another tree get a copy, which is discarded afterwards. */
function materialiseViews({ mounts }: Sandbox, trees: WorkingTrees): Disposable & Pick<Sandbox, 'mounts'> {
  const views: WorkingTree[] = [];
  const replaced = mounts.map((mount): Sandbox['mounts'][number] => {
    if (mount.type !== 'overlay') return mount;
    const view = trees.take(layersOf(mount.mount));
    views.push(view);
    const readonly = !mount.mount.options.some((option) => option.startsWith('upperdir='));
    return { type: 'bind', source: view.root, target: mount.target, readonly };
  });
  return { mounts: replaced, [Symbol.dispose]: () => views.forEach((view) => trees.discard(view)) };
}

/** Returns the directories of an overlay, bottom first. */
function layersOf({ type, source, options, directory }: Mount): string[] {
  if (type === 'bind') return [source];
  const valueOf = (name: string): string =>
    options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  return [...valueOf('lowerdir').split(':').reverse(), valueOf('upperdir')]
    .filter(Boolean)
    .map((path) => `${directory}/${path}/.`);
}
