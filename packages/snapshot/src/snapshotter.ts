/**
 * A file system to mount, as mount(8) and mount(2) take it. The paths of an overlay are short names relative to
 * `directory` (`lowerdir=l/2:l/1:l/0`): they need no quoting, and 500 of them fit into the one page of options that
 * the kernel takes. The mounting process must run in that directory. mount(8) needs `LIBMOUNT_FORCE_MOUNT2=always` in
 * its environment, since the newer kernel interface, its default, refuses a `lowerdir` of more than 255 bytes.
 */
export interface Mount {
  readonly type: 'overlay' | 'bind';
  readonly source: string;
  readonly options: readonly string[];
  /** Absolute; the working directory of the mounting process. */
  readonly directory: string;
}

/**
 * A committed tree: a stack of layer directories in overlay's format, bottom first. Whiteouts are character devices
 * 0:0; opaque directories have an attribute. A committed tree never changes.
 */
export interface Snapshot {
  readonly name: string;
  /**
   * Absolute paths, bottom first; empty for an empty tree. A layer that occurs several times in the tree is listed as
   * often.
   */
  readonly directories: readonly string[];
  /** The names of the snapshots that the directories belong to, in the same order. */
  readonly stack: readonly string[];
}

/**
 * A tree under construction: changes go to `upper` and are seen on top of `lowers`. Disposing without a commit
 * discards it.
 */
export interface ActiveSnapshot extends AsyncDisposable {
  /** Absolute path of the directory that takes the changes. You may write to it directly, without a mount. */
  readonly upper: string;
  /** The parent's directories, bottom first. */
  readonly lowers: readonly string[];
  /** The overlay of both. To run a process in the tree, mount it in a mount namespace of its own. */
  readonly mount: Mount;
  /**
   * Commits the tree under a name. If the name is taken, the existing snapshot wins and this one is discarded. Changes
   * that were prepared without a parent can be put `onto` a tree: their root then takes the attributes of that tree's.
   */
  commit(name: string, options?: { readonly onto?: string }): Promise<Snapshot>;
}

/**
 * Keeps trees by name. The life of a tree: `prepare` it on a parent, write to `upper` (or mount it and run a
 * process), then `commit` it under a name or dispose it. `compose` names a stack of existing directories without
 * copying: the layers of an image that were extracted side by side, or a `--link` layer on a base.
 *
 * Every operation is safe beside other processes on the same store: directories are created under a temporary name
 * and renamed, and losing a race counts as success. Implementations pass `@tbuild/snapshot/testsuite`.
 */
export interface Snapshotter {
  stat(name: string): Promise<Snapshot | undefined>;
  /** @throws TbuildError SNAPSHOT if the parent does not exist or the disk is full. */
  prepare(parent?: string): Promise<ActiveSnapshot>;
  /** Composes a tree of `base`'s whole stack and, on it, the topmost directory of each snapshot in `tops`. */
  compose(name: string, stack: { readonly base?: string; readonly tops: readonly string[] }): Promise<Snapshot>;
  /** Moves the snapshot to the trash. Remove the snapshots that build on it first. */
  remove(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
}

/** The prefix of overlay's attributes: `user` inside a user namespace, `trusted` for real root. */
export type OverlayFlavour = 'trusted' | 'user';
