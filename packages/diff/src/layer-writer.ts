import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { type CooperativeTask, runSync } from '@tbuild/concurrency';
import type { ContentStore } from '@tbuild/content';
import { FileType, majorOf, minorOf } from '@tbuild/linux';
import { MediaType, type Digest, type Layer } from '@tbuild/oci';
import {
  comesBefore,
  openCommittedTree,
  readAttributes,
  storedTime,
  type Attributes,
  type FileBytes,
  type FileSink,
  type LayeredTree,
  type OverlayFlavour,
  type TreeWriter,
  type WrittenFile,
} from '@tbuild/snapshot';
import { MEMBER_TYPES } from './archive-files.ts';
import { openEarlierLayer, type EarlierLayer } from './earlier-layer.ts';
import { CAPABILITY, repeatsLower, type UpperEntry } from './same-entry.ts';
import { encodeTarHeader } from './tar/encode-tar-header.ts';
import { TarType } from './tar/tar-entry.ts';
import { TarWriter } from './tar/tar-writer.ts';

export interface LayerWriterOptions {
  /** Takes the layer. */
  readonly content: Pick<ContentStore, 'createWriter'>;
  /** What the layer lies on, bottom first. */
  readonly lowers: readonly string[];
  readonly flavour: OverlayFlavour;
  /** From which files can be shared, by the paths that they have there: a layer on the same lowers, uncompressed. */
  readonly earlier?: { readonly path: string; readonly digest: Digest };
}

/** The attributes of an entry as far as they are known without a file. */
type StatsOfEntry = Pick<
  Stats,
  'mode' | 'uid' | 'gid' | 'size' | 'ino' | 'dev' | 'nlink' | 'rdev' | 'mtimeMs' | 'ctimeMs'
>;

/** Writes what would make a tree straight into a layer. Disposing without commit leaves nothing. */
export interface LayerWriter extends TreeWriter, Disposable {
  /** What is there at each moment, of what was written the directories only. */
  stat(path: string): { name: string; path: string; location: string; stats: StatsOfEntry } | undefined;
  /** The layer, once the writer is finished. */
  commit(): Layer;
}

/** What an archive that is written from front to back cannot express; the tree has to be made and packed. */
export class NotInOrder extends Error {}

/**
 * A {@link TreeWriter} that makes the very layer that packing the tree would give, without making the tree: for
 * changes that come in the order of a walk and of which none is taken back.
 * @throws NotInOrder from each of its functions when that is not so, or a file could not be read; what was done is void then.
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
  /** Directories that were made or given attributes. */
  readonly #directories = new Map<string, Attributes>();
  /** Directories that the archive has. */
  readonly #archived = new Set<string>(['']);
  /** The directory that came last: its attributes may still change. */
  #open: string | undefined;
  #last = '';

  constructor({ content, lowers, flavour, earlier }: LayerWriterOptions) {
    this.#blob = content.createWriter();
    this.#tar = new TarWriter((bytes) => this.#blob.write(bytes));
    this.#lower = openCommittedTree(lowers, flavour);
    this.#earlier = earlier && openEarlierLayer(earlier.path, earlier.digest);
  }

  stat(path: string): ReturnType<LayerWriter['stat']> {
    const made = this.#directories.get(path);
    if (made === undefined) return this.#lower.stat(path);
    return {
      name: path.slice(path.lastIndexOf('/') + 1),
      path,
      location: '',
      stats: statsOf(FileType.directory, made),
    };
  }

  ensureDirectory(path: string, attributes: Attributes): void {
    if (path === '' || this.stat(path) !== undefined) return;
    this.ensureDirectory(parentOf(path), attributes);
    this.directory(path, attributes);
  }

  directory(path: string, attributes: Attributes): void {
    // No layer has its root.
    if (path === '') return;
    if (this.#open !== path) this.#advance(path);
    this.#directories.set(path, attributes);
    this.#open = path;
  }

  *copy(path: string, attributes: Attributes, location: string): CooperativeTask<number> {
    this.#advance(path);
    let fd: number | undefined;
    try {
      fd = openSync(location, READ);
      const { size } = fstatSync(fd);
      const isNew = this.#header(path, FileType.regular, attributes, { size, location });
      if (isNew && !(yield* this.#tar.bodyFrom(fd, size))) throw new NotInOrder('A file became shorter');
      return size;
    } catch (error) {
      // Whoever makes the tree instead will meet the same obstacle, and knows how to speak of it.
      throw error instanceof NotInOrder ? error : new NotInOrder('A file could not be read', { cause: error });
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  file(path: string, attributes: Attributes, source: FileBytes): number {
    if ('location' in source) return runSync(this.copy(path, attributes, source.location));
    throw new NotInOrder('A file comes in pieces');
  }

  symlink(path: string, attributes: Attributes, target: string): void {
    this.#advance(path);
    this.#header(path, FileType.link, attributes, { target, size: Buffer.byteLength(target) });
  }

  special(path: string, attributes: Attributes, type: number, device: number): void {
    this.#advance(path);
    this.#header(path, type, attributes, { device });
  }

  open(): FileSink {
    throw new NotInOrder('A file comes over time');
  }

  link(): void {
    throw new NotInOrder('A file has several names');
  }

  /** Reading a file costs three times as much as taking it from the earlier layer. */
  share(path: string, { location, attributes, size }: WrittenFile): boolean {
    if (this.#earlier === undefined || this.#lower.stat(path) !== undefined) return false;
    const header = encodeTarHeader(memberOf(path, TarType.file, attributes, { size }));
    const read = this.#earlier.find(location, size, header);
    if (read === undefined) return false;
    this.#advance(path);
    this.#archiveDirectory(parentOf(path));
    this.#tar.encoded(header);
    if (!runSync(this.#tar.bodyOf(read, size))) throw new NotInOrder('The earlier layer is damaged');
    return true;
  }

  remove(): void {
    throw new NotInOrder('Something is removed');
  }

  opaque(): void {
    throw new NotInOrder('Something is hidden');
  }

  finish(): void {
    this.#closeDirectory();
    if (this.#earlier?.isIntact() === false) throw new NotInOrder('The earlier layer is damaged');
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

  /** Goes on to a path that must be a later one. */
  #advance(path: string): void {
    this.#closeDirectory();
    if (!comesBefore(this.#last, path)) throw new NotInOrder(`${this.#last} is before ${path}`);
    this.#last = path;
  }

  /** A directory that is as below is in the layer only when something in it is. */
  #closeDirectory(): void {
    const [path, attributes] = [this.#open, this.#directories.get(this.#open ?? '')];
    this.#open = undefined;
    if (path === undefined || attributes === undefined) return;
    const below = this.#lower.stat(path);
    const upper = aboveOf(FileType.directory, attributes, {});
    if (below === undefined || !repeatsLower(below, upper)) this.#archiveDirectory(path);
  }

  /** A layer has each directory on the way to a change once, before it, whether it changed or not. */
  #archiveDirectory(path: string): void {
    if (this.#archived.has(path)) return;
    this.#archiveDirectory(parentOf(path));
    this.#archived.add(path);
    const below = this.#directories.has(path) ? undefined : this.#lower.stat(path);
    const attributes = this.#directories.get(path) ?? (below && readAttributes(below.location, below.stats));
    if (attributes === undefined) throw new NotInOrder(`${path} is not a directory`);
    this.#tar.header(memberOf(`${path}/`, TarType.directory, attributes, {}));
  }

  /** False when the entry says nothing that is not so without it. */
  #header(path: string, type: number, attributes: Attributes, more: EntryFacts): boolean {
    const member = MEMBER_TYPES[type];
    const below = this.#lower.stat(path);
    if (member === undefined || (below !== undefined && repeatsLower(below, aboveOf(type, attributes, more))))
      return false;
    this.#archiveDirectory(parentOf(path));
    this.#tar.header(memberOf(path, member, attributes, more));
    return true;
  }
}

/** What an entry has besides its attributes. */
interface EntryFacts {
  readonly size?: number;
  readonly location?: string;
  readonly target?: string;
  readonly device?: number;
}

function statsOf(
  type: number,
  { mode, uid, gid, mtimeMs }: Attributes,
  { size = 0, device = 0 }: EntryFacts = {},
): StatsOfEntry {
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

function aboveOf(type: number, attributes: Attributes, facts: EntryFacts): UpperEntry {
  return {
    stats: statsOf(type, attributes, facts),
    location: facts.location ?? '',
    readCapability: () => attributes.xattrs?.get(CAPABILITY),
    readTarget: () => facts.target ?? '',
  };
}

function memberOf(
  name: string,
  type: TarType,
  { mode, uid, gid, mtimeMs, xattrs }: Attributes,
  { size = 0, target = '', device = 0 }: EntryFacts,
): Parameters<TarWriter['header']>[0] {
  const capability = xattrs?.get(CAPABILITY);
  return {
    name,
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    size: type === TarType.file ? size : 0,
    mtimeMs: storedTime(mtimeMs),
    linkName: target,
    major: majorOf(device),
    minor: minorOf(device),
    xattrs: capability && new Map([[CAPABILITY, capability]]),
  };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
