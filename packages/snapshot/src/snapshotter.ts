/**
 * A file system to mount, as mount(8) and mount(2) take it. An overlay's paths are short names relative
 * to `directory` (`lowerdir=l/2:l/1:l/0`), which so fit into one page for 500 layers and need no quoting:
 * whoever mounts has to be in that directory. mount(8) must be told `LIBMOUNT_FORCE_MOUNT2=always` in its
 * environment, since the kernel's newer interface, its default, refuses a `lowerdir` of over 255 bytes.
 */
export interface Mount {
  readonly type: 'overlay' | 'bind';
  readonly source: string;
  readonly options: readonly string[];
  /** Absolute; the working directory of the mounting process. */
  readonly directory: string;
}

/**
 * A committed tree: a stack of layer directories in overlay's format (whiteouts are character devices
 * 0:0, opaque directories carry an attribute), bottom first. Never changed once it has a name.
 */
export interface Snapshot {
  readonly name: string;
  /** Absolute paths, bottom first; empty for an empty tree. A layer that the tree has more than once is in it as often. */
  readonly directories: readonly string[];
}

/** A tree being made: changes go to `upper`, seen on top of `lowers`. Disposing without commit discards it. */
export interface ActiveSnapshot extends AsyncDisposable {
  /** Absolute path of the directory that takes the changes; may be written directly, without a mount. */
  readonly upper: string;
  /** The parent's directories, bottom first. */
  readonly lowers: readonly string[];
  /** The overlay of both, to be mounted by whoever runs a process in it (in a namespace of its own). */
  readonly mount: Mount;
  /** Gives the tree its name. When the name is taken already, that snapshot wins and this one is discarded. */
  commit(name: string): Promise<Snapshot>;
}

/**
 * Keeps trees by name. Life of a tree: `prepare` on a parent → write to `upper`, or mount and run →
 * `commit` under a name, or dispose. `compose` names a stack of existing directories without copying:
 * an image's layers that were extracted side by side, or a `--link` layer on a base.
 *
 * Every operation is safe beside other processes on the same store: directories are made under a
 * temporary name and renamed, and losing a race is success. Implementations pass
 * `@tbuild/snapshot/testsuite`.
 */
export interface Snapshotter {
  stat(name: string): Promise<Snapshot | undefined>;
  /** @throws TbuildError SNAPSHOT when the parent does not exist or the disk is full. */
  prepare(parent?: string): Promise<ActiveSnapshot>;
  /** Names the stack of the *top* directories of the given snapshots on top of `base`'s whole stack. */
  compose(name: string, stack: { readonly base?: string; readonly tops: readonly string[] }): Promise<Snapshot>;
  /** Moves the snapshot to the trash; other snapshots that stand on its directory must be gone before. */
  remove(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
}

/** Which attributes mark opaque directories: `user` inside a user namespace, `trusted` for real root. */
export type OverlayFlavour = 'trusted' | 'user';
