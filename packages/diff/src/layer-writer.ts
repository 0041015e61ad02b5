import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { type CooperativeTask, runSync } from '@tbuild/concurrency';
import type { ContentStore } from '@tbuild/content';
import { FileType, majorOf, minorOf } from '@tbuild/linux';
import { MediaType, type Digest, type Layer } from '@tbuild/oci';
import {
  comesBefore,
  nameOf,
  openCommittedTree,
  openOutline,
  parentOf,
  readAttributes,
  storedTime,
  type Attributes,
  type FileBytes,
  type FileSink,
  type SpecialFile,
  type LayeredTree,
  type OverlayFlavour,
  type TreeOutline,
  type TreeWriter,
  type WrittenFile,
} from '@tbuild/snapshot';
import { MEMBER_TYPES } from './archive-files.ts';
import { openEarlierLayer, type EarlierLayer } from './earlier-layer.ts';
import { CAPABILITY, equalsLower, type UpperEntry } from './same-entry.ts';
import { encodeTarHeader } from './tar/encode-tar-header.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';
import { TarWriter } from './tar/tar-writer.ts';

export interface LayerWriterOptions {
  /** Stores the layer. */
  readonly content: Pick<ContentStore, 'createWriter'>;
  /** The layers below, bottom first. */
  readonly lowers: readonly string[];
  readonly flavour: OverlayFlavour;
  /** What is known of the layers below, where they are elsewhere. */
  readonly outline?: TreeOutline;
  /** An uncompressed layer on the same lowers from which files are taken, by their paths in it. */
  readonly earlier?: { readonly path: string; readonly digest: Digest };
}

/** The attributes of an entry that are known without a file. */
type StatsOfEntry = Pick<
  Stats,
  'mode' | 'uid' | 'gid' | 'size' | 'ino' | 'dev' | 'nlink' | 'rdev' | 'mtimeMs' | 'ctimeMs'
>;

/** Writes changes directly into a layer. Disposing without a commit leaves nothing behind. */
export interface LayerWriter extends TreeWriter, Disposable {
  /** Returns the current entry at a path. Of the entries written here, it knows directories only. */
  stat(path: string): { name: string; path: string; location: string; stats: StatsOfEntry } | undefined;
  /** Returns the layer after `finish`. */
  commit(): Layer;
}

/** A change that an archive written from front to back cannot express. The caller then makes the tree and packs it. */
export class NotStreamable extends Error {}

/**
 * Creates a {@link TreeWriter} that writes the same layer, byte for byte, as packing the tree would, but without
 * making the tree. The changes must come in the order of a walk, and none may be undone later.
 * @throws NotStreamable from any of its functions if they do not, or if a file cannot be read. The layer is then
 * useless.
 */
export function createLayerWriter(options: LayerWriterOptions): LayerWriter {
  return new OrderedLayerWriter(options);
}

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

class OrderedLayerWriter implements LayerWriter {
  readonly #blob: ReturnType<ContentStore['createWriter']>;
  readonly #tar: TarWriter;
  readonly #lower: LayeredTree;
  readonly #earlier: EarlierLayer | undefined;
  /** Directories that were made or got attributes. */
  readonly #directories = new Map<string, Attributes>();
  /** Directories that the archive contains. */
  readonly #archived = new Set<string>(['']);
  /** The latest directory, whose attributes may still change. */
  #open: string | undefined;
  #last = '';

  constructor({ content, lowers, flavour, outline, earlier }: LayerWriterOptions) {
    this.#blob = content.createWriter();
    this.#tar = new TarWriter((bytes) => this.#blob.write(bytes));
    this.#lower = outline === undefined ? openCommittedTree(lowers, flavour) : openOutline(outline);
    this.#earlier = earlier && openEarlierLayer(earlier.path, earlier.digest);
  }

  stat(path: string): ReturnType<LayerWriter['stat']> {
    const made = this.#directories.get(path);
    if (made === undefined) return this.#lower.stat(path);
    return {
      name: nameOf(path),
      path,
      location: '',
      stats: statsOf(made, { type: FileType.directory }),
    };
  }

  ensureDirectory(path: string, attributes: Attributes): void {
    if (path === '' || this.stat(path) !== undefined) return;
    this.ensureDirectory(parentOf(path), attributes);
    this.directory(path, attributes);
  }

  directory(path: string, attributes: Attributes): void {
    // A layer never contains its root.
    if (path === '') return;
    if (this.#open !== path) this.#advance(path);
    this.#directories.set(path, attributes);
    this.#open = path;
  }

  copy(path: string, attributes: Attributes, location: string): CooperativeTask<number> {
    return this.#copy(path, attributes, { location });
  }

  *#copy(
    path: string,
    attributes: Attributes,
    source: { readonly location: string; readonly size?: number },
  ): CooperativeTask<number> {
    const { location } = source;
    this.#advance(path);
    let fd: number | undefined;
    try {
      fd = openSync(location, READ);
      const size = source.size ?? fstatSync(fd).size;
      const isNew = this.#header(path, attributes, { type: FileType.regular, size, location });
      if (isNew && !(yield* this.#tar.bodyFrom(fd, size))) throw new NotStreamable('A file shrank');
      return size;
    } catch (error) {
      // The caller makes the tree instead, fails in the same way and reports it.
      throw error instanceof NotStreamable ? error : new NotStreamable('A file could not be read', { cause: error });
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  file(path: string, attributes: Attributes, source: FileBytes): number {
    if ('location' in source) return runSync(this.#copy(path, attributes, source));
    throw new NotStreamable('A file arrives in chunks');
  }

  symlink(path: string, attributes: Attributes, target: string): void {
    this.#advance(path);
    this.#header(path, attributes, { type: FileType.link, target, size: Buffer.byteLength(target) });
  }

  special(path: string, attributes: Attributes, { type, device }: SpecialFile): void {
    this.#advance(path);
    this.#header(path, attributes, { type, device });
  }

  open(): FileSink {
    throw new NotStreamable('A file arrives over time');
  }

  link(): void {
    throw new NotStreamable('A file has several names');
  }

  /** A directory that is in the archive already cannot change any more. */
  touch(path: string, mtimeMs: number): void {
    const known = this.#directories.get(path);
    if (known?.mtimeMs === mtimeMs) return;
    if (this.#archived.has(path)) throw new NotStreamable(`${path} changes after it was written`);
    const below = known === undefined ? this.#lower.stat(path) : undefined;
    const attributes = known ?? (below && readAttributes(below.location, below.stats));
    if (attributes === undefined) throw new NotStreamable(`${path} does not exist`);
    this.#directories.set(path, { ...attributes, mtimeMs });
  }

  /** Takes the file from the earlier layer, which costs a third of reading it. */
  share(path: string, { location, attributes, size }: WrittenFile): boolean {
    if (this.#earlier === undefined || this.#lower.stat(path) !== undefined) return false;
    const header = encodeTarHeader(memberOf(path, attributes, { type: FileType.regular, size }));
    const read = this.#earlier.find(location, size, header);
    if (read === undefined) return false;
    this.#advance(path);
    this.#archiveDirectory(parentOf(path));
    this.#tar.encodedHeader(header);
    if (!runSync(this.#tar.bodyOf(read, size))) throw new NotStreamable('The earlier layer is damaged');
    return true;
  }

  remove(): void {
    throw new NotStreamable('Something is removed');
  }

  opaque(): void {
    throw new NotStreamable('Something is hidden');
  }

  finish(): void {
    this.#closeDirectory();
    if (this.#earlier?.isIntact() === false) throw new NotStreamable('The earlier layer is damaged');
    this.#tar.finish();
  }

  commit(): Layer {
    const { digest, size } = this.#blob.commit();
    return { descriptor: { mediaType: MediaType.layer, digest, size }, diffId: digest };
  }

  [Symbol.dispose](): void {
    this.#blob[Symbol.dispose]();
    this.#earlier?.[Symbol.dispose]();
  }

  /** Advances to a path, which must come after the last one. */
  #advance(path: string): void {
    this.#closeDirectory();
    if (!comesBefore(this.#last, path)) throw new NotStreamable(`${path} does not come after ${this.#last}`);
    this.#last = path;
  }

  /** A directory that equals the lower one is in the layer only if something in it is. */
  #closeDirectory(): void {
    const [path, attributes] = [this.#open, this.#directories.get(this.#open ?? '')];
    this.#open = undefined;
    if (path === undefined || attributes === undefined) return;
    const below = this.#lower.stat(path);
    const upper = upperOf(attributes, { type: FileType.directory });
    if (below === undefined || !equalsLower(below, upper)) this.#archiveDirectory(path);
  }

  /** A layer has each directory on the way to a change once, before it, whether it changed or not. */
  #archiveDirectory(path: string): void {
    if (this.#archived.has(path)) return;
    this.#archiveDirectory(parentOf(path));
    this.#archived.add(path);
    const below = this.#directories.has(path) ? undefined : this.#lower.stat(path);
    const attributes = this.#directories.get(path) ?? (below && readAttributes(below.location, below.stats));
    if (attributes === undefined) throw new NotStreamable(`${path} is not a directory`);
    this.#tar.header(memberOf(`${path}/`, attributes, { type: FileType.directory }));
  }

  /** Writes a header and returns true, unless the entry equals the lower one. */
  #header(path: string, attributes: Attributes, facts: EntryFacts): boolean {
    const below = this.#lower.stat(path);
    if (MEMBER_TYPES[facts.type] === undefined) return false;
    if (below !== undefined && equalsLower(below, upperOf(attributes, facts))) return false;
    this.#archiveDirectory(parentOf(path));
    this.#tar.header(memberOf(path, attributes, facts));
    return true;
  }
}

/** The properties of an entry besides its attributes. */
interface EntryFacts {
  /** The file type bits of its mode. */
  readonly type: number;
  readonly size?: number;
  readonly location?: string;
  readonly target?: string;
  readonly device?: number;
}

function statsOf({ mode, uid, gid, mtimeMs }: Attributes, { type, size = 0, device = 0 }: EntryFacts): StatsOfEntry {
  const time = storedTime(mtimeMs);
  return {
    mode: type | (mode & 0o7777),
    uid,
    gid,
    size,
    ino: 0,
    dev: 0,
    nlink: 1,
    rdev: device,
    mtimeMs: time,
    ctimeMs: time,
  };
}

function upperOf(attributes: Attributes, facts: EntryFacts): UpperEntry {
  return {
    stats: statsOf(attributes, facts),
    location: facts.location ?? '',
    readCapability: () => attributes.xattrs?.get(CAPABILITY),
    readTarget: () => facts.target ?? '',
  };
}

function memberOf(
  name: string,
  { mode, uid, gid, mtimeMs, xattrs }: Attributes,
  { type, size = 0, target = '', device = 0 }: EntryFacts,
): TarEntry {
  const capability = xattrs?.get(CAPABILITY);
  return {
    name,
    type: MEMBER_TYPES[type] ?? TarType.file,
    mode: mode & 0o7777,
    uid,
    gid,
    size: type === FileType.regular ? size : 0,
    mtimeMs: storedTime(mtimeMs),
    linkName: target,
    major: majorOf(device),
    minor: minorOf(device),
    xattrs: capability && new Map([[CAPABILITY, capability]]),
  };
}
