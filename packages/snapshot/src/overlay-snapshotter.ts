import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import { removeTree } from '@tbuild/linux';
import { listDirectory, moveToTrash, type StoreLayout } from '@tbuild/store';
import { applyAttributes, readAttributes, setTime } from './attributes.ts';
import { mountedLayers } from './mounted-layers.ts';
import { doing } from './snapshot-error.ts';
import type { ActiveSnapshot, Mount, OverlayFlavour, Snapshot, Snapshotter } from './snapshotter.ts';

/** The directories of a store that this package uses. */
export type SnapshotStore = Pick<StoreLayout, 'snapshots' | 'activeSnapshots' | 'snapshot' | 'trash'>;

export interface OverlaySnapshotterOptions {
  readonly store: SnapshotStore;
  readonly flavour: OverlayFlavour;
}

/**
 * Snapshots as directories in overlay's format: `snapshots/<name>/fs` holds the changes and
 * `snapshots/<name>/stack` the names of the snapshots whose changes make the tree, bottom first, then an empty line. What is
 * being made lies in `snapshots/.active/`. `snapshots/<name>/l` has short names of what was below, for the next one to take over.
 */
export function createOverlaySnapshotter(options: OverlaySnapshotterOptions): Snapshotter {
  mkdirSync(options.store.activeSnapshots, { recursive: true });
  return new OverlaySnapshotter(options);
}

/**
 * Moves to the trash what was being made when its process died: everything untouched since `before`
 * (milliseconds). Returns how many. Call it only when no build runs that began earlier.
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

const NAME = /^[A-Za-z0-9][A-Za-z0-9:._-]*$/;
/** Above this the kernel refuses to mount (OVL_MAX_STACK). */
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
    const stack = this.#readStack(name);
    return stack !== undefined && this.#isWhole(name, stack) ? this.#snapshot(name, stack) : undefined;
  }

  async prepare(parent?: string): Promise<ActiveSnapshot> {
    const stack = parent === undefined ? [] : this.#require(parent);
    const mounted = mountedLayers(stack);
    if (mounted.length > MAX_LOWERS) {
      throw new TbuildError('SNAPSHOT', `Tree "${parent}" has ${mounted.length} layers, overlay takes ${MAX_LOWERS}`);
    }
    const directory = this.#makeActive(stack, parent);
    let open = true;
    const close = (): void => {
      open = false;
      moveToTrash(this.#store, directory);
    };
    return {
      upper: join(directory, 'fs'),
      lowers: stack.map((name) => this.#changes(name)),
      mount: overlayMount(directory, mounted, this.#flavour),
      commit: async (name) => {
        if (!open) throw new Error(`Snapshot ${name} was committed or discarded before`);
        try {
          return this.#commit(directory, name, [...stack, name]);
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
      moveToTrash(this.#store, directory);
    }
  }

  async remove(name: string): Promise<void> {
    moveToTrash(this.#store, this.#place(name));
  }

  async list(): Promise<readonly string[]> {
    return listDirectory(this.#store.snapshots).filter((name) => NAME.test(name));
  }

  /** Renames a complete directory to its name; one that is there already has won. */
  #commit(directory: string, name: string, stack: readonly string[]): Snapshot {
    const place = this.#place(name);
    return doing(`keep tree "${name}"`, () => {
      if (stack.length === 1) removeTree(join(directory, 'l'));
      removeTree(join(directory, 'work'));
      writeFileSync(join(directory, 'stack'), `${stack.map((line) => `${line}\n`).join('')}\n`);
      if (existsSync(place)) {
        const standing = this.#readStack(name);
        if (standing === undefined || !this.#isWhole(name, standing)) moveToTrash(this.#store, place);
      }
      if (!existsSync(place)) renameUnlessTaken(directory, place);
      return this.#snapshot(name, this.#require(name));
    });
  }

  #makeActive(stack: readonly string[], parent: string | undefined): string {
    return doing('prepare a tree', () => {
      const directory = this.#makeTemporary();
      for (const name of ['fs', 'work']) mkdirSync(join(directory, name), 0o755);
      this.#makeLinks(join(directory, 'l'), stack, parent);
      const top = stack.at(-1);
      copyRoot(top && this.#changes(top), join(directory, 'fs'));
      return directory;
    });
  }

  /**
   * Short names of the trees of a stack, since the kernel takes one page of options. Those that the parent was made with, which
   * are all but itself, go to who comes first: with hundreds of steps, making all of them each time would take longer than a step.
   */
  #makeLinks(place: string, stack: readonly string[], parent: string | undefined): void {
    // What a composed tree ends with was made on something else.
    const isOwn = parent !== undefined && parent === stack.at(-1);
    const isTaken = isOwn && renameIfThere(join(this.#place(parent), 'l'), place);
    if (!isTaken) mkdirSync(place, 0o755);
    if (stack.length === 0) mkdirSync(join(place, '0'));
    // Relative, since the store may be somewhere else the next time.
    for (let at = isTaken ? stack.length - 1 : 0; at < stack.length; at++)
      symlinkSync(`../../../${stack[at]}/fs`, join(place, String(at)));
  }

  #makeTemporary(): string {
    const directory = join(this.#store.activeSnapshots, randomBytes(8).toString('hex'));
    mkdirSync(directory, 0o755);
    return directory;
  }

  #snapshot(name: string, stack: readonly string[]): Snapshot {
    return { name, directories: stack.map((each) => this.#changes(each)) };
  }

  #require(name: string): readonly string[] {
    const stack = this.#readStack(name);
    if (stack === undefined) throw new TbuildError('SNAPSHOT', `Tree "${name}" does not exist`);
    return stack;
  }

  #readStack(name: string): readonly string[] | undefined {
    try {
      const [last, end, ...lines] = readFileSync(join(this.#place(name), 'stack'), 'utf8')
        .split('\n')
        .reverse();
      // A crash of the machine may leave the file empty or incomplete: an empty line ends it.
      const isComplete = last === '' && end === '' && lines.every((line) => NAME.test(line));
      return isComplete ? lines.reverse() : undefined;
    } catch (error) {
      if (errnoName(error) === 'ENOENT' || errnoName(error) === 'EISDIR') return undefined;
      throw error;
    }
  }

  /** Whether the directories are there: its own, or of a composed tree all; those below are for others to look after. */
  #isWhole(name: string, stack: readonly string[]): boolean {
    const own = stack.at(-1) === name ? [name] : stack;
    return own.every((each) => existsSync(this.#changes(each)));
  }

  /** The same text for all trees that have the layer: of hundreds of steps each has all those below it. */
  #changes(name: string): string {
    let path = this.#paths.get(name);
    if (path === undefined) this.#paths.set(name, (path = join(this.#place(name), 'fs')));
    return path;
  }

  #place(name: string): string {
    if (!NAME.test(name)) throw new Error(`Not a snapshot name: ${JSON.stringify(name)}`);
    return this.#store.snapshot(name);
  }
}

/** `lowers` are the numbers of the links to mount, bottom first. Of an empty tree link 0 is an empty directory. */
function overlayMount(directory: string, lowers: readonly number[], flavour: OverlayFlavour): Mount {
  const names = (lowers.length === 0 ? [0] : lowers).map((index) => `l/${index}`).reverse();
  const paths = [`lowerdir=${names.join(':')}`, 'upperdir=fs', 'workdir=work'];
  return { type: 'overlay', source: 'overlay', options: [...paths, ...OPTIONS[flavour]], directory };
}

/** The root of a tree has the attributes of its topmost directory, so a new one takes them from its parent. */
function copyRoot(lower: string | undefined, upper: string): void {
  const attributes = lower === undefined ? EMPTY_ROOT : readAttributes(lower, lstatSync(lower));
  applyAttributes(upper, attributes);
  setTime(upper, attributes.mtimeMs);
}

function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return false;
    throw error;
  }
}

function renameUnlessTaken(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errnoName(error) !== 'ENOTEMPTY' && errnoName(error) !== 'EEXIST') throw error;
  }
}
