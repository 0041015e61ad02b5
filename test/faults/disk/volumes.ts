import { mkdirSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import type { Random } from '../../support/random.ts';
import { runChecked, runProcess } from '../../support/run-process.ts';

/** A file system of its own for a case; disposing unmounts it. */
export interface Volume extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  /** Leaves about so many bytes, inodes, or bytes of a quota that the kernel enforces, until the result is disposed. */
  fill(left: number, what: Scarce): Promise<AsyncDisposable>;
  remount(option: 'ro' | 'rw'): Promise<void>;
}

/** What there can be too little of. Only btrfs has quotas in every kernel. */
export type Scarce = 'bytes' | 'inodes' | 'quota';

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

/** `fuse` passes everything on to a tmpfs below it. */
export type VolumeKind = 'tmpfs' | 'fuse' | keyof typeof VOLUMES;

export function pickVolume(random: Random): VolumeKind {
  return random.pick(['tmpfs', 'fuse', 'ext4', 'xfs', 'btrfs']);
}

/** Mounts a new file system at `path`. An image file, or the one that a FUSE file system shows, lies beside it. */
export async function mountVolume(kind: VolumeKind, path: string): Promise<Volume> {
  mkdirSync(path);
  const mounted = kind === 'fuse' ? [path, `${path}.below`] : [path];
  const below = mounted.at(-1)!;
  await mountKind(kind, path, below);
  /** The background process of an earlier build may still write. */
  const atRest = () => eventually(() => processesNaming(path).length === 0);
  return {
    path,
    async fill(left, what) {
      await atRest();
      return FILL[what](path, left);
    },
    async remount(option) {
      await atRest();
      await runChecked('mount', ['-o', `remount,${option}`, below]);
    },
    async [Symbol.asyncDispose]() {
      for (const each of mounted) await runChecked('umount', ['--lazy', each]);
    },
  };
}

async function mountKind(kind: VolumeKind, path: string, below: string): Promise<void> {
  if (kind === 'tmpfs' || kind === 'fuse') {
    mkdirSync(below, { recursive: true });
    await runChecked('mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=8k', 'tmpfs', below]);
    if (kind === 'fuse') await mountFuse(below, path);
    return;
  }
  const image = `${path}.${kind}`;
  const { megabytes, make: makeFileSystem } = VOLUMES[kind];
  writeFileSync(image, '');
  truncateSync(image, megabytes * 1024 * 1024);
  await makeFileSystem(image);
  await runChecked('mount', ['-o', 'loop', image, path]);
}

/**
 * Shows a directory through FUSE. Without a cache, since libfuse caches each name of a hard link alone. The names are relative,
 * so that it is not taken for a process of the case.
 */
async function mountFuse(below: string, path: string): Promise<void> {
  const uncached = ['-o', 'attr_timeout=0,entry_timeout=0'];
  await runChecked('bindfs', [...uncached, basename(below), basename(path)], { cwd: dirname(path) });
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

const FILL: Readonly<Record<Scarce, (path: string, left: number) => Promise<AsyncDisposable>>> = {
  bytes: (path, left) => withFiller(path, (filler) => fillBytes(filler, left)),
  inodes: (path, left) => withFiller(path, (filler) => fillInodes(filler, left)),
  quota: limitQuota,
};

async function withFiller(path: string, fill: (filler: string) => Promise<void>): Promise<AsyncDisposable> {
  const filler = join(path, 'filler');
  mkdirSync(filler);
  await fill(filler);
  return { [Symbol.asyncDispose]: () => rm(filler, { recursive: true, force: true }) };
}

async function fillBytes(filler: string, left: number): Promise<void> {
  const { bavail, bsize } = statfsSync(filler);
  for (let bytes = bavail * bsize - left; bytes > 0; bytes -= PIECE) {
    const piece = ['--length', String(Math.min(bytes, PIECE)), join(filler, String(bytes))];
    // btrfs has less room than it says.
    if ((await runProcess('fallocate', piece)).exitCode !== 0) return;
  }
}

const PIECE = 16 * 1024 * 1024;

async function fillInodes(filler: string, left: number): Promise<void> {
  const files = statfsSync(filler).ffree - left;
  for (let at = 0; at < files && files < 100_000; at++) writeFileSync(join(filler, String(at)), '');
}

/** Limits the subvolume of a btrfs. */
async function limitQuota(path: string, left: number): Promise<AsyncDisposable> {
  await runChecked('btrfs', ['quota', 'enable', path]);
  await runChecked('btrfs', ['quota', 'rescan', '--wait', path]);
  const shown = await runChecked('btrfs', ['qgroup', 'show', '--raw', '--sync', path]);
  const used = Number(/^0\/5 +(?<bytes>\d+)/m.exec(shown)?.groups?.bytes);
  await runChecked('btrfs', ['qgroup', 'limit', String(used + left), path]);
  return {
    async [Symbol.asyncDispose]() {
      await runChecked('btrfs', ['quota', 'disable', path]);
    },
  };
}
