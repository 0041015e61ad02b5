import { lstatSync, type Stats, statSync, unlinkSync, utimesSync } from 'node:fs';
import { openDirectory, resolveDestination } from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import { makeWithin, removeIfEmpty } from '@tbuild/linux';
import {
  createTreeWriter,
  type LayeredTree,
  openLayeredTree,
  type OverlayFlavour,
  type TreeWriter,
} from '@tbuild/snapshot';
import type { Sandbox, SandboxMount } from '../executor.ts';
import { directoriesTo } from './directories-to.ts';
import type { PlacedMount } from './sandbox-mounts.ts';

export interface MountPoints {
  readonly mounts: readonly PlacedMount[];
  /** The working directory, if a mount covers it and lacks it. */
  readonly cwd?: { readonly target: string; readonly within: string };
  /** Removes the created mount points that are still empty and restores the times of their parents. */
  removeEmpty(): void;
}

export interface MountPointOptions {
  readonly flavour: OverlayFlavour;
  /** The time of created directories, in milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Resolves the target of each mount inside the tree and creates missing mount points directly in `upper`. /dev,
 * /proc, /sys and the working directory stay if they were created, as with BuildKit.
 *
 * @throws TbuildError PROCESS_FAILED if a target cannot be mounted on.
 */
export function prepareMountPoints(sandbox: Sandbox, options: MountPointOptions): MountPoints {
  return new Preparation(sandbox, options).run();
}

class Preparation {
  readonly #sandbox: Sandbox;
  readonly #now: number;
  readonly #tree: LayeredTree;
  readonly #writer: TreeWriter;
  readonly #placed: PlacedMount[] = [];
  /** The mount points to remove afterwards, parents before children. */
  readonly #stubs: string[] = [];

  constructor(sandbox: Sandbox, { flavour, now }: MountPointOptions) {
    const { upper, lowers } = sandbox.root;
    this.#sandbox = sandbox;
    this.#now = now;
    this.#tree = openLayeredTree([...lowers, upper], flavour);
    this.#writer = createTreeWriter({ upper, lowers, flavour });
  }

  run(): MountPoints {
    for (const name of ['dev', 'proc', 'sys']) this.#ensureKernelDirectory(name);
    for (const mount of this.#sandbox.mounts) this.#placed.push(this.#place(mount));
    const [cwd] = directoriesTo(this.#sandbox.process.cwd)
      .map((path) => this.#ensureDirectory(path))
      .slice(-1);
    this.#writer.finish();
    const { upper } = this.#sandbox.root;
    return { mounts: this.#placed, cwd, removeEmpty: () => removeEmpty(upper, this.#stubs) };
  }

  #ensureKernelDirectory(name: string): void {
    const entry = this.#tree.stat(name);
    if (entry === undefined) this.#writer.ensureDirectory(name, this.#attributes(0o755));
    else if (!entry.stats.isDirectory()) throw notMountable(`/${name}`, 'a directory');
  }

  #place(mount: SandboxMount): PlacedMount {
    const kind = kindOf(mount);
    const target = resolveDestination(this.#tree, mount.target);
    if (target === '') throw new TbuildError('PROCESS_FAILED', 'Cannot mount on "/"');
    const cover = this.#coverOf(target);
    if (cover !== undefined) return this.#placeInside(mount, target, cover);
    // /dev is mounted first, so a mount point below it must be made inside that mount.
    if (target.startsWith('dev/')) return { mount, target, kind, within: 'dev' };
    const covering = this.#withCoveredMode(mount, target);
    this.#ensureStub(target, kind);
    return { mount: covering, target, kind };
  }

  /** As with runc, a tmpfs has the mode of the directory that it covers. */
  #withCoveredMode(mount: SandboxMount, target: string): SandboxMount {
    if (mount.type !== 'tmpfs' || mount.mode !== undefined || this.#stubs.includes(target)) return mount;
    const covered = this.#tree.stat(target)?.stats;
    return covered?.isDirectory() === true ? { ...mount, mode: covered.mode & 0o7777 } : mount;
  }

  /** Returns the mount that hides the tree at `target`: the last one at or above it. */
  #coverOf(target: string): PlacedMount | undefined {
    return this.#placed.findLast((placed) => target === placed.target || target.startsWith(`${placed.target}/`));
  }

  #placeInside(mount: SandboxMount, target: string, cover: PlacedMount): PlacedMount {
    const kind = kindOf(mount);
    if (target === cover.target) return { mount, target, kind };
    if (cover.mount.type !== 'bind') return { mount, target, kind, within: cover.target };
    const inner = resolveDestination(openDirectory(cover.mount.source), target.slice(cover.target.length + 1));
    ensureOnDisk(cover.mount, inner, { kind, target: mount.target });
    return { mount, target: `${cover.target}/${inner}`, kind };
  }

  #ensureStub(target: string, kind: 'file' | 'directory'): void {
    const entry = this.#tree.stat(target);
    if (entry !== undefined) {
      if (entry.stats.isDirectory() !== (kind === 'directory')) throw notMountable(`/${target}`, `a ${kind}`);
      return;
    }
    const missing = ancestors(target).filter((path) => this.#tree.stat(path) === undefined);
    for (const path of missing) if (!this.#stubs.includes(path)) this.#stubs.push(path);
    for (const path of missing.slice(0, -1)) this.#writer.ensureDirectory(path, this.#attributes(0o755));
    if (kind === 'directory') this.#writer.ensureDirectory(target, this.#attributes(0o755));
    else this.#writer.file(target, this.#attributes(0o644), { bytes: new Uint8Array() });
  }

  #ensureDirectory(path: string): MountPoints['cwd'] {
    const target = resolveDestination(this.#tree, path);
    const cover = this.#coverOf(target);
    if (cover === undefined) {
      const entry = this.#tree.stat(target);
      if (entry !== undefined && !entry.stats.isDirectory()) throw notMountable(path, 'a directory');
      if (entry === undefined && target !== '') this.#writer.ensureDirectory(target, this.#attributes(0o755));
      return undefined;
    }
    if (target === cover.target) return undefined;
    if (cover.mount.type !== 'bind') return { target, within: cover.target };
    const inner = resolveDestination(openDirectory(cover.mount.source), target.slice(cover.target.length + 1));
    ensureOnDisk(cover.mount, inner, { kind: 'directory', target });
    return undefined;
  }

  #attributes(mode: number): { mode: number; uid: number; gid: number; mtimeMs: number } {
    return { mode, uid: 0, gid: 0, mtimeMs: this.#now };
  }
}

/** Returns whether a mount shows a file or a directory. */
export function kindOf(mount: SandboxMount): 'file' | 'directory' {
  return mount.type !== 'bind' || statSync(mount.source).isDirectory() ? 'directory' : 'file';
}

/** Another step may be changing the source of a bind, such as a cache, so that a link in it could lead out of it. */
function ensureOnDisk(
  { source, readonly }: Extract<SandboxMount, { type: 'bind' }>,
  inner: string,
  { kind, target }: { kind: 'file' | 'directory'; target: string },
): void {
  if (lstatSync(`${source}/${inner}`, { throwIfNoEntry: false }) !== undefined) return;
  if (readonly)
    throw new TbuildError(
      'PROCESS_FAILED',
      `Mount point "${target}" does not exist in the read-only mount that contains it`,
    );
  makeWithin(source, inner, kind);
}

/** Removes those of `stubs` that are still empty, children first, and restores the times of their parents. */
export function removeEmpty(upper: string, stubs: readonly string[]): void {
  for (const stub of stubs.toReversed()) {
    // The step may have replaced a parent with a symbolic link that leads out of the tree.
    if (openDirectory(upper).stat(stub) === undefined) continue;
    const path = `${upper}/${stub}`;
    const parent = path.slice(0, path.lastIndexOf('/'));
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const before = lstatSync(parent, { throwIfNoEntry: false });
    if (stats === undefined || before === undefined || !tryRemoveEmpty(path, stats)) continue;
    utimesSync(parent, before.atimeMs / 1000, before.mtimeMs / 1000);
  }
}

function tryRemoveEmpty(path: string, stats: Stats): boolean {
  if (!stats.isDirectory()) {
    const empty = stats.isFile() && stats.size === 0;
    if (empty) unlinkSync(path);
    return empty;
  }
  return removeIfEmpty(path);
}

/** Returns `a`, `a/b` and `a/b/c` for `a/b/c`. */
export function ancestors(path: string): string[] {
  const elements = path.split('/');
  return elements.map((_, index) => elements.slice(0, index + 1).join('/'));
}

/** Returns the error for a path of the image that cannot serve as a mount point. */
export function notMountable(path: string, expected: string): TbuildError {
  return new TbuildError('PROCESS_FAILED', `Path "${path}" in the image is not ${expected}`);
}
