import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { openDirectory, resolveDestination } from '@tbuild/context';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { SandboxMount } from '../executor.ts';
import { applyLayer } from '../materialised/apply-layer.ts';
import { ancestors, kindOf, notMountable, removeEmpty } from '../sandbox/mount-points.ts';

export interface PlacementOptions {
  readonly root: string;
  /** A directory on the root's file system for entries that are in the way. */
  readonly displaced: string;
  /**
   * A directory that gets a directory for each secret: `to`, a second name of the empty file in the tree, and `from`,
   * a link to the secret.
   */
  readonly secrets: string;
  readonly flavour: OverlayFlavour;
}

/** Something placed in the tree for the duration of a step. */
interface Placed {
  readonly path: string;
  readonly stats: Stats;
  readonly displaced?: string;
  /** The path it moves back to; absent if it is discarded. */
  readonly returnTo?: string;
}

/**
 * Puts files and directories where a step's mounts would be, and removes them afterwards. Existing entries are moved
 * away meanwhile. A step can move or replace what was placed: none of it stays in the tree.
 */
export class Placement {
  readonly #options: PlacementOptions;
  readonly #placed: Placed[] = [];
  readonly #stubs: string[] = [];

  constructor(options: PlacementOptions) {
    this.#options = options;
  }

  /** Creates a directory that stays, as with BuildKit. */
  ensureDirectory(target: string): void {
    const { root } = this.#options;
    const path = resolveDestination(openDirectory(root), target);
    for (const each of path === '' ? [] : ancestors(path)) {
      const stats = lstatSync(`${root}/${each}`, { throwIfNoEntry: false });
      if (stats === undefined) makeDirectory(`${root}/${each}`, 0o755);
      else if (!stats.isDirectory()) throw notMountable(target, 'a directory');
    }
  }

  /** Places what `fill` creates in place of `covered`. */
  place(
    target: string,
    kind: 'file' | 'directory',
    fill: (location: string, covered: Stats | undefined) => string | undefined,
  ): void {
    const { root } = this.#options;
    const path = resolveDestination(openDirectory(root), target);
    if (path === '') throw new TbuildError('PROCESS_FAILED', 'Cannot mount on "/"');
    this.#makeParents(path);
    const location = `${root}/${path}`;
    const there = lstatSync(location, { throwIfNoEntry: false });
    if (there !== undefined && there.isDirectory() !== (kind === 'directory')) throw notMountable(target, `a ${kind}`);
    keepTimes(dirname(location), () => {
      const displaced = there === undefined ? undefined : join(this.#options.displaced, String(this.#placed.length));
      if (displaced !== undefined) renameSync(location, displaced);
      const returnTo = fill(location, there);
      this.#placed.push({ path, stats: lstatSync(location), displaced, returnTo });
    });
  }

  /** Places what a mount would show. */
  mount(mount: SandboxMount): void {
    this.place(mount.target, kindOf(mount), (location, covered) => this.#show(mount, location, covered));
  }

  /** Removes everything. No process that could write to the tree may be left. */
  remove(): void {
    rmSync(this.#options.secrets, { recursive: true, force: true });
    const moved: Stats[] = [];
    for (const placed of this.#placed.toReversed()) this.#takeOut(placed, moved);
    if (moved.length > 0) purge(this.#options.root, new Set(moved.map(({ ino }) => ino)));
    removeEmpty(this.#options.root, this.#stubs);
    this.#placed.length = 0;
  }

  #takeOut({ path, stats, displaced, returnTo }: Placed, moved: Stats[]): void {
    const { root } = this.#options;
    const found = openDirectory(root).stat(path);
    const own = found !== undefined && found.stats.ino === stats.ino;
    // A second name of a secret would stay.
    if (!own || (!stats.isDirectory() && (found.stats.nlink ?? 1) > 1)) moved.push(stats);
    // A parent that the step replaced with a symbolic link would lead out of the root.
    if (!isDirectoryIn(root, dirname(path))) return;
    const location = `${root}/${path}`;
    keepTimes(dirname(location), () => {
      if (own && returnTo !== undefined) moveBack(location, returnTo);
      rmSync(location, { recursive: true, force: true });
      if (displaced !== undefined) renameSync(displaced, location);
    });
  }

  /** The supervisor fills and empties the file. It outlives tbuild and the step. */
  #showSecret(source: string, location: string): undefined {
    const name = join(this.#options.secrets, String(this.#placed.length));
    const { uid, gid, mode } = statSync(source);
    writeFileSync(location, '');
    chownSync(location, uid, gid);
    chmodSync(location, mode & 0o7777);
    mkdirSync(name);
    linkSync(location, `${name}/to`);
    symlinkSync(source, `${name}/from`);
  }

  #makeParents(path: string): void {
    const { root } = this.#options;
    for (const parent of ancestors(path).slice(0, -1)) {
      if (existsSync(`${root}/${parent}`)) continue;
      keepTimes(dirname(`${root}/${parent}`), () => makeDirectory(`${root}/${parent}`, 0o755));
      this.#stubs.push(parent);
    }
  }

  #show(mount: SandboxMount, location: string, covered: Stats | undefined): string | undefined {
    switch (mount.type) {
      case 'tmpfs':
        makeDirectory(location, mount.mode ?? (covered === undefined ? 0o1777 : covered.mode & 0o7777));
        return undefined;
      case 'overlay':
        throw new Error(`An overlay for "${mount.target}" reached an executor without mounts`);
      case 'bind':
        return mount.isSecret === true
          ? this.#showSecret(mount.source, location)
          : showBind(mount, location, this.#options.flavour);
    }
  }
}

function showBind(
  { source, readonly }: Extract<SandboxMount, { type: 'bind' }>,
  location: string,
  flavour: OverlayFlavour,
): string | undefined {
  const stats = statSync(source);
  if (stats.isSocket()) {
    linkSync(source, location);
    return undefined;
  }
  if (!stats.isDirectory()) {
    copyFileSync(source, location);
    chownSync(location, stats.uid, stats.gid);
    chmodSync(location, stats.mode & 0o7777);
    return readonly ? undefined : source;
  }
  if (!readonly) {
    // Moved rather than copied: a cache may be large.
    renameSync(source, location);
    return source;
  }
  mkdirSync(location);
  applyLayer(location, source, flavour);
  return undefined;
}

function moveBack(location: string, source: string): void {
  if (!lstatSync(location).isDirectory()) {
    copyFileSync(location, source);
    return;
  }
  try {
    renameSync(location, source);
  } catch (error) {
    // Another build has recreated the cache; its copy is as good.
    if (errnoName(error) !== 'ENOTEMPTY' && errnoName(error) !== 'EEXIST') throw error;
  }
}

function isDirectoryIn(root: string, path: string): boolean {
  const entry = openDirectory(root).stat(path === '.' ? '' : path);
  return entry !== undefined && lstatSync(entry.location).isDirectory();
}

/** Deletes every name of these files, wherever the step put them. */
function purge(directory: string, inodes: ReadonlySet<number>): void {
  for (const name of readdirSync(directory)) {
    const path = `${directory}/${name}`;
    const stats = lstatSync(path);
    if (inodes.has(stats.ino)) rmSync(path, { recursive: true });
    else if (stats.isDirectory()) purge(path, inodes);
  }
}

function makeDirectory(path: string, mode: number): void {
  mkdirSync(path);
  chmodSync(path, mode);
}

function keepTimes(directory: string, change: () => void): void {
  const { atimeMs, mtimeMs } = lstatSync(directory);
  change();
  utimesSync(directory, atimeMs / 1000, mtimeMs / 1000);
}
