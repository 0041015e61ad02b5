import { lstatSync } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import {
  createTreeWriter,
  describeFailure,
  isWhiteout,
  openCommittedTree,
  type OverlayFlavour,
  type ReadableTreeWriter,
} from '@tbuild/snapshot';
import { ArchiveTarget } from './archive-target.ts';
import { cleanPath } from './clean-path.ts';
import { archiveError } from './tar/archive-error.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';
import type { MemberSink } from './tar/tar-parser.ts';
import type { UnpackGuard } from './unpack-guard.ts';

export interface LayerTargetOptions {
  readonly target: string;
  /** Bottom first; undefined if the layers below are not known yet. */
  readonly lowers?: readonly string[];
  readonly flavour: OverlayFlavour;
  readonly guard: UnpackGuard;
}

const WHITEOUT = '.wh.';
/** The prefix of AUFS's own files, and of the opaque marker. */
const WHITEOUT_META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * Extracts the members of a layer ("Applying Changesets" of the OCI image spec) into a directory in overlay's format.
 */
export class LayerTarget {
  readonly #directory: string;
  readonly #lowers: readonly string[] | undefined;
  readonly #flavour: OverlayFlavour;
  readonly #writer: ReadableTreeWriter;
  readonly #files: ArchiveTarget;
  #complete = true;

  constructor({ target, lowers, flavour, guard }: LayerTargetOptions) {
    this.#directory = target;
    this.#lowers = lowers;
    this.#flavour = flavour;
    this.#writer = createTreeWriter({ upper: target, lowers: lowers ?? 'unknown', flavour });
    const onIncomplete = lowers === undefined ? needLowers : undefined;
    this.#files = new ArchiveTarget({ writer: this.#writer, root: '', onIncomplete, guard });
  }

  /** False once a member needed the layers below while they are not known. */
  get isComplete(): boolean {
    return this.#complete;
  }

  /** Does the work until the directory turns out to be incomplete. */
  *runWhileComplete(work: CooperativeTask): CooperativeTask {
    try {
      yield* work;
    } catch (error) {
      if (!(error instanceof NeedsLowers)) throw error;
      this.#complete = false;
    }
  }

  add(entry: TarEntry): MemberSink | undefined {
    const name = cleanPath(entry.name).at(-1);
    if (name === undefined) this.#addRoot(entry);
    else if (name.startsWith(WHITEOUT))
      describeFailure(
        () => `unpack ${JSON.stringify(entry.name)}`,
        () => this.#hide(entry.name, name),
      );
    else return this.#files.add(entry);
    return undefined;
  }

  finish(): void {
    this.#writer.finish();
  }

  #addRoot(entry: TarEntry): void {
    if (entry.type === TarType.directory) this.#writer.directory('', this.#files.attributesOf(entry));
  }

  #hide(path: string, name: string): void {
    const place = this.#files.locate(path);
    const directory = place.slice(0, -name.length);
    if (name === OPAQUE) return this.#opaque(directory.slice(0, -1));
    if (name.startsWith(WHITEOUT_META)) return;
    const hidden = name.slice(WHITEOUT.length);
    if (hidden === '' || hidden === '.' || hidden === '..')
      throw archiveError(`Whiteout ${JSON.stringify(path)} does not name a file`);
    this.#remove(directory + hidden);
  }

  /** A whiteout hides entries of the layers below, but not those of its own layer. */
  #remove(path: string): void {
    const own = lstatSync(`${this.#directory}/${path}`, { throwIfNoEntry: false });
    if (own?.isDirectory() === true) this.#writer.opaque(path);
    else if (own === undefined || isWhiteout(own)) {
      this.#files.invalidate(path);
      this.#writer.remove(path);
    }
  }

  /** The kernel ignores the opaque attribute on the root. */
  #opaque(path: string): void {
    if (path !== '') return this.#writer.opaque(path);
    if (this.#lowers === undefined) needLowers();
    for (const entry of openCommittedTree(this.#lowers, this.#flavour).list('')) this.#remove(entry.path);
  }
}

class NeedsLowers extends Error {}

function needLowers(): never {
  throw new NeedsLowers();
}
