import { statfsSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';

/** What unpacking one archive may take. */
export interface UnpackLimits {
  /** The bytes of the archive, decompressed. */
  readonly size: number;
  readonly entries: number;
  /** What has to stay free on the disk, in bytes. Default: a hundredth of it, at most 1 GB. */
  readonly free?: number;
  /** A directory on the disk to which archives are unpacked. */
  readonly directory: string;
}

/** How many bytes and entries are unpacked at most between two looks at the disk. */
const STEP = { bytes: 16 << 20, entries: 1000 };

/** Counts what an archive takes while it is unpacked, and stops it at a limit. */
export class UnpackGuard {
  readonly #limits: UnpackLimits | undefined;
  #bytes = 0;
  #entries = 0;
  #nextLook = { bytes: 0, entries: 0 };

  constructor(limits: UnpackLimits | undefined) {
    this.#limits = limits;
  }

  /** Call it before these bytes of the archive are used. @throws TbuildError SNAPSHOT */
  addBytes(count: number): void {
    this.#bytes += count;
    const { size } = this.#limits ?? {};
    if (size !== undefined && this.#bytes > size)
      throw new TbuildError('SNAPSHOT', `The archive has more than ${size} bytes`, { hint: hintFor('size=SIZE') });
    if (this.#bytes > this.#nextLook.bytes) this.#requireRoom();
  }

  /** Call it before an entry is made. @throws TbuildError SNAPSHOT */
  addEntry(): void {
    this.#entries++;
    const { entries } = this.#limits ?? {};
    if (entries !== undefined && this.#entries > entries)
      throw new TbuildError('SNAPSHOT', `The archive has more than ${entries} entries`, { hint: hintFor('entries=N') });
    if (this.#entries > this.#nextLook.entries) this.#requireRoom();
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
        hint: 'Free space on that disk, or allow less with --unpack-limits free=SIZE',
      },
    );
  }
}

function hintFor(limit: string): string {
  return `Raise the limit with --unpack-limits ${limit} if you trust the archive`;
}
