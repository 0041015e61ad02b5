import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import type { Random } from '../../support/random.ts';
import { runChecked } from '../../support/run-process.ts';

/** A file system of its own for a case; disposing unmounts it. */
export interface Volume extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  /** Leaves about so many bytes, or so many inodes, until {@link Volume.free}. */
  fill(left: number, what: 'bytes' | 'inodes'): Promise<void>;
  free(): void;
  remount(option: 'ro' | 'rw'): Promise<void>;
}

type MakeFileSystem = (image: string) => Promise<unknown>;

const make =
  (program: string, ...options: readonly string[]): MakeFileSystem =>
  (image) =>
    runChecked(program, [...options, image]);

/** The smallest sizes that their programs take, with room for the cases. */
const VOLUMES = {
  ext4: { megabytes: 64, make: make('mkfs.ext4', '-q', '-N', '4096') },
  xfs: { megabytes: 320, make: make('mkfs.xfs', '-q') },
  btrfs: { megabytes: 256, make: make('mkfs.btrfs', '-q') },
};

export type VolumeKind = 'tmpfs' | keyof typeof VOLUMES;

export function pickVolume(random: Random): VolumeKind {
  return random.pick(['tmpfs', 'tmpfs', 'ext4', 'xfs', 'btrfs']);
}

/** Mounts a new file system at `path`. An image file lies beside it. */
export async function mountVolume(kind: VolumeKind, path: string): Promise<Volume> {
  mkdirSync(path);
  if (kind === 'tmpfs') await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=8k', 'tmpfs', path]);
  else {
    const image = `${path}.${kind}`;
    const { megabytes, make: makeFileSystem } = VOLUMES[kind];
    writeFileSync(image, '');
    truncateSync(image, megabytes * 1024 * 1024);
    await makeFileSystem(image);
    await runChecked('mount', ['-o', 'loop', image, path]);
  }
  const filler = join(path, 'filler');
  /** The background process of an earlier build may still write. */
  const atRest = () => eventually(() => processesNaming(path).length === 0);
  return {
    path,
    async fill(left, what) {
      await atRest();
      await (what === 'bytes' ? fillBytes(filler, left) : fillInodes(filler, left));
    },
    free: () => rmSync(filler, { recursive: true, force: true }),
    async remount(option) {
      await atRest();
      await runChecked('mount', ['-o', `remount,${option}`, path]);
    },
    async [Symbol.asyncDispose]() {
      await runChecked('umount', ['--lazy', path]);
    },
  };
}

/** Mounts an image file at `path`, which it makes, until it is disposed. */
export async function mountImage(image: string, path: string, options: string): Promise<AsyncDisposable> {
  mkdirSync(path, { recursive: true });
  await runChecked('mount', ['-o', options, image, path]);
  return {
    async [Symbol.asyncDispose]() {
      await runChecked('umount', [path]);
    },
  };
}

async function fillBytes(filler: string, left: number): Promise<void> {
  mkdirSync(filler);
  const { bavail, bsize } = statfsSync(filler);
  const bytes = bavail * bsize - left;
  if (bytes > 0) await runChecked('fallocate', ['--length', String(bytes), join(filler, 'bytes')]);
}

async function fillInodes(filler: string, left: number): Promise<void> {
  mkdirSync(filler);
  const files = statfsSync(filler).ffree - left;
  for (let at = 0; at < files && files < 100_000; at++) writeFileSync(join(filler, String(at)), '');
}
