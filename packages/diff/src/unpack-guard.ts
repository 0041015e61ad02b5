import { statfsSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';

/** What unpacking one archive, or a download, may take. */
export interface UnpackLimits {
  /** The bytes of the archive, decompressed. */
  readonly size: number;
  readonly entries: number;
  /** The bytes for names that are remembered to the end, such as those of directories, whose times are set last. */
  readonly memory: number;
  /** What has to stay free on the disk, in bytes. Default: a hundredth of it, at most 1 GB. */
  readonly free?: number;
  /** A directory on the disk to which archives are unpacked. */
  readonly directory: string;
}

/** How many bytes and entries are unpacked at most between two looks at the disk. */
const STEP = { bytes: 16 << 20, entries: 1000 };

/** What is held of a remembered name besides its letters, and how often a letter is. In bytes. */
const NAME = { each: 400, letter: 2 };

/** Counts what an archive takes while it is unpacked, or a file while it is downloaded, and stops it at a limit. */
export class UnpackGuard {
  readonly #limits: UnpackLimits | undefined;
  readonly #what: string;
  #bytes = 0;
  #entries = 0;
  #memory = 0;
  #nextLook = { bytes: 0, entries: 0 };

  /** `what` names the archive or file in messages. */
  constructor(limits: UnpackLimits | undefined, what = 'archive') {
    this.#limits = limits;
    this.#what = what;
  }

  /** Call it before these bytes are used. @throws TbuildError SNAPSHOT */
  addBytes(count: number): void {
    this.#bytes += count;
    const { size } = this.#limits ?? {};
    if (size !== undefined && this.#bytes > size) throw this.#tooMuch(`has more than ${size} bytes`, 'size=SIZE');
    if (this.#bytes > this.#nextLook.bytes) this.#requireRoom();
  }

  /** Call it before an entry is made. @throws TbuildError SNAPSHOT */
  addEntry(): void {
    this.#entries++;
    const { entries } = this.#limits ?? {};
    if (entries !== undefined && this.#entries > entries)
      throw this.#tooMuch(`has more than ${entries} entries`, 'entries=N');
    if (this.#entries > this.#nextLook.entries) this.#requireRoom();
  }

  /** Call it before a name of the archive is kept in memory. @throws TbuildError SNAPSHOT */
  addName(name: string): void {
    this.#memory += NAME.each + NAME.letter * name.length;
    const { memory } = this.#limits ?? {};
    if (memory !== undefined && this.#memory > memory)
      throw this.#tooMuch(`needs more than ${memory} bytes of memory for its names`, 'memory=SIZE');
  }

  #requireRoom(): void {
    const spare = this.#spareRoom();
    this.#nextLook = { bytes: this.#bytes + Math.min(STEP.bytes, spare), entries: this.#entries + STEP.entries };
  }

  /** Returns how many bytes may still be written. @throws TbuildError SNAPSHOT if less is free than has to be. */
  #spareRoom(): number {
    if (this.#limits === undefined) return Infinity;
    const { directory, free: least } = this.#limits;
    const { bavail, blocks, bsize } = statfsSync(directory);
    // Some file systems have no fixed number of blocks.
    if (blocks === 0) return Infinity;
    const free = bavail * bsize;
    const spare = free - (least ?? Math.min(0.01 * blocks * bsize, 1e9));
    if (spare >= 0) return spare;
    throw new TbuildError(
      'SNAPSHOT',
      `No space left: the disk of ${JSON.stringify(directory)} has only ${free} bytes free`,
      {
        hint: 'Free space on that disk, or allow less with --unpack-limits free=SIZE, or TBUILD_UNPACK_LIMITS',
      },
    );
  }

  #tooMuch(problem: string, limit: string): TbuildError {
    return new TbuildError('SNAPSHOT', `The ${this.#what} ${problem}`, {
      hint: `Raise the limit with --unpack-limits ${limit}, or TBUILD_UNPACK_LIMITS, if you trust its source`,
    });
  }
}
