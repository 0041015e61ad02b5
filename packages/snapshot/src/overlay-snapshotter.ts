import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import { makeDirectory, removeTree } from '@tbuild/linux';
import { discardUnfinished, listDirectory, moveToTrash, renameIfThere, type StoreLayout } from '@tbuild/store';
import { applyAttributes, readAttributes, setTime } from './attributes.ts';
import { INSERTED_LAYER } from './insert-layer.ts';
import { mountedLayers } from './mounted-layers.ts';
import { describeFailure } from './snapshot-error.ts';
import type { ActiveSnapshot, Mount, OverlayFlavour, Snapshot, Snapshotter } from './snapshotter.ts';
import { encodeStack, readStack, SNAPSHOT_NAME } from './stack-file.ts';

/** The directories of the store that this package uses. */
export type SnapshotStore = Pick<StoreLayout, 'snapshots' | 'activeSnapshots' | 'snapshot' | 'trash'>;

export interface OverlaySnapshotterOptions {
  readonly store: SnapshotStore;
  readonly flavour: OverlayFlavour;
}

/**
 * Keeps snapshots as directories in overlay's format. `snapshots/<name>/fs` holds the changes.
 * `snapshots/<name>/stack` lists the snapshots whose changes make up the tree, bottom first, and has a
 * checksum. `snapshots/<name>/l` holds short links to the layers below, which the next snapshot on this one takes over.
 * Unfinished snapshots are in `snapshots/.active/`.
 */
export function createOverlaySnapshotter(options: OverlaySnapshotterOptions): Snapshotter {
  makeDirectory(options.store.activeSnapshots);
  return new OverlaySnapshotter(options);
}

/**
 * Moves the unfinished snapshots of dead processes to the trash: those not touched since `before` (milliseconds).
 * Returns their number. Call it only while no build runs that started earlier.
 */
export function sweepAbandoned(store: SnapshotStore, before: number): number {
  const directory = store.activeSnapshots;
  let count = 0;
  for (const name of listDirectory(directory)) {
    const stats = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (stats !== undefined && stats.ctimeMs < before && moveToTrash(store, join(directory, name))) count++;
  }
  return count;
}

/** The kernel refuses to mount more (OVL_MAX_STACK). */
const MAX_LOWERS = 499;

const EMPTY_ROOT = { mode: 0o755, uid: 0, gid: 0, mtimeMs: 0 };

const OPTIONS: Readonly<Record<OverlayFlavour, readonly string[]>> = {
  trusted: ['redirect_dir=off', 'metacopy=off', 'index=off', 'volatile'],
  user: ['userxattr', 'volatile'],
};

class OverlaySnapshotter implements Snapshotter {
  readonly #store: SnapshotStore;
  readonly #flavour: OverlayFlavour;
  readonly #paths = new Map<string, string>();

  constructor({ store, flavour }: OverlaySnapshotterOptions) {
    this.#store = store;
    this.#flavour = flavour;
  }

  async stat(name: string): Promise<Snapshot | undefined> {
    const stack = readStack(this.#directoryOf(name));
    return stack !== undefined && this.#isComplete(name, stack) ? this.#snapshot(name, stack) : undefined;
  }

  async prepare(parent?: string): Promise<ActiveSnapshot> {
    const stack = parent === undefined ? [] : this.#require(parent);
    const mounted = mountedLayers(stack);
    if (mounted.length > MAX_LOWERS) {
      throw new TbuildError(
        'SNAPSHOT',
        `Tree "${parent}" has ${mounted.length} layers, expected at most ${MAX_LOWERS}`,
      );
    }
    const directory = this.#makeActive(stack, parent);
    let open = true;
    const close = (): void => {
      open = false;
      discardUnfinished(this.#store, directory);
    };
    return {
      upper: join(directory, 'fs'),
      lowers: stack.map((name) => this.#layer(name)),
      mount: overlayMount(directory, mounted, this.#flavour),
      commit: async (name, { onto } = {}) => {
        if (!open) throw new Error(`Snapshot ${name} has already been committed or discarded`);
        try {
          const below = onto === undefined ? stack : this.#putOnto(onto, directory);
          return this.#commit(directory, name, [...below, name]);
        } finally {
          close();
        }
      },
      [Symbol.asyncDispose]: async () => {
        if (open) close();
      },
    };
  }

  async compose(name: string, stack: { readonly base?: string; readonly tops: readonly string[] }): Promise<Snapshot> {
    const names = stack.base === undefined ? [] : [...this.#require(stack.base)];
    for (const top of stack.tops) names.push(...this.#require(top).slice(-1));
    const directory = this.#makeTemporary();
    try {
      return this.#commit(directory, name, names);
    } finally {
      discardUnfinished(this.#store, directory);
    }
  }

  async remove(name: string): Promise<void> {
    moveToTrash(this.#store, this.#directoryOf(name));
  }

  async list(): Promise<readonly string[]> {
    return listDirectory(this.#store.snapshots).filter((name) => SNAPSHOT_NAME.test(name));
  }

  /** Gives the changes in `directory` the root of a tree. The next snapshot on them makes the links to the layers. */
  #putOnto(tree: string, directory: string): readonly string[] {
    return describeFailure(
      () => `put changes onto tree "${tree}"`,
      () => {
        const stack = this.#require(tree);
        const top = stack.at(-1);
        copyRoot(top && this.#layer(top), join(directory, 'fs'));
        removeTree(join(directory, 'l'));
        return stack;
      },
    );
  }

  /** Renames a complete directory to its name, unless the name is taken by an intact snapshot. */
  #commit(directory: string, name: string, stack: readonly string[]): Snapshot {
    const place = this.#directoryOf(name);
    return describeFailure(
      () => `commit tree "${name}"`,
      () => {
        if (stack.length === 1) removeTree(join(directory, 'l'));
        for (const name of ['work', INSERTED_LAYER]) removeTree(join(directory, name));
        writeFileSync(join(directory, 'stack'), encodeStack(name, stack));
        if (existsSync(place)) {
          const standing = readStack(this.#directoryOf(name));
          if (standing === undefined || !this.#isComplete(name, standing)) moveToTrash(this.#store, place);
        }
        if (!existsSync(place)) renameUnlessTaken(directory, place);
        return this.#snapshot(name, this.#require(name));
      },
    );
  }

  #makeActive(stack: readonly string[], parent: string | undefined): string {
    return describeFailure(
      () => 'prepare a tree',
      () => {
        const directory = this.#makeTemporary();
        for (const name of ['fs', 'work']) mkdirSync(join(directory, name), 0o755);
        this.#makeLinks(join(directory, 'l'), stack, parent);
        const top = stack.at(-1);
        copyRoot(top && this.#layer(top), join(directory, 'fs'));
        return directory;
      },
    );
  }

  /**
   * Makes short names for the layers of a stack, since mount options must fit into one page. The first child of a
   * snapshot takes over the links that its parent was made with, which are all but the last: with hundreds of steps,
   * making all links each time would take longer than the step.
   */
  #makeLinks(place: string, stack: readonly string[], parent: string | undefined): void {
    // The last layer of a composed tree was made on another stack.
    const isOwn = parent !== undefined && parent === stack.at(-1);
    const isTaken = isOwn && renameIfThere(join(this.#directoryOf(parent), 'l'), place);
    if (!isTaken) mkdirSync(place, 0o755);
    if (stack.length === 0) mkdirSync(join(place, '0'));
    // Relative, since the store may move.
    for (let at = isTaken ? stack.length - 1 : 0; at < stack.length; at++)
      symlinkSync(`../../../${stack[at]}/fs`, join(place, String(at)));
  }

  #makeTemporary(): string {
    const directory = join(this.#store.activeSnapshots, randomBytes(8).toString('hex'));
    mkdirSync(directory, 0o755);
    return directory;
  }

  #snapshot(name: string, stack: readonly string[]): Snapshot {
    return { name, stack, directories: stack.map((each) => this.#layer(each)) };
  }

  #require(name: string): readonly string[] {
    const stack = readStack(this.#directoryOf(name));
    if (stack === undefined) throw new TbuildError('SNAPSHOT', `Tree "${name}" does not exist`);
    return stack;
  }

  /**
   * Returns whether the snapshot's own directories exist: its layer, or all layers of a composed tree. Other
   * snapshots are responsible for the layers below.
   */
  #isComplete(name: string, stack: readonly string[]): boolean {
    const own = stack.at(-1) === name ? [name] : stack;
    return own.every((each) => statSync(this.#layer(each), { throwIfNoEntry: false })?.isDirectory());
  }

  /**
   * Returns the layer directory of a snapshot. Trees share the string: of hundreds of steps, each refers to all
   * layers below.
   */
  #layer(name: string): string {
    let path = this.#paths.get(name);
    if (path === undefined) this.#paths.set(name, (path = join(this.#directoryOf(name), 'fs')));
    return path;
  }

  #directoryOf(name: string): string {
    if (!SNAPSHOT_NAME.test(name)) throw new Error(`Invalid snapshot name: ${JSON.stringify(name)}`);
    return this.#store.snapshot(name);
  }
}

/** `lowers` are the numbers of the links to mount, bottom first. An empty tree has an empty directory as link 0. */
function overlayMount(directory: string, lowers: readonly number[], flavour: OverlayFlavour): Mount {
  const names = (lowers.length === 0 ? [0] : lowers).map((index) => `l/${index}`).reverse();
  const paths = [`lowerdir=${names.join(':')}`, 'upperdir=fs', 'workdir=work'];
  return { type: 'overlay', source: 'overlay', options: [...paths, ...OPTIONS[flavour]], directory };
}

/** Copies the attributes of the parent's root: a tree's root has the attributes of its topmost directory. */
function copyRoot(lower: string | undefined, upper: string): void {
  const attributes = lower === undefined ? EMPTY_ROOT : readAttributes(lower, lstatSync(lower));
  applyAttributes(upper, attributes);
  setTime(upper, attributes.mtimeMs);
}

function renameUnlessTaken(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errnoName(error) !== 'ENOTEMPTY' && errnoName(error) !== 'EEXIST') throw error;
  }
}
