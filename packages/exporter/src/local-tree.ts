import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readlinkSync, renameSync, rmSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { errnoName, hasCode, TbuildError } from '@tbuild/errors';
import { FileType } from '@tbuild/linux';
import {
  createTreeWriter,
  openCommittedTree,
  readAttributes,
  type Attributes,
  type LayeredEntry,
  type OverlayFlavour,
  type TreeWriter,
} from '@tbuild/snapshot';
import { explaining } from './destination.ts';
import type { Exportable, Exporter, ReportExport } from './exporter.ts';
import { partsOf } from './platform-directory.ts';

export interface LocalTreeOptions {
  /** Absolute path; what is there already stays, files of the same name are replaced. */
  readonly destination: string;
  /** Which attributes the snapshots' opaque directories carry. */
  readonly flavour: OverlayFlavour;
  /** Who gets the files: the user who builds, as buildx does. In a user namespace root is that user. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** A directory for each platform; so when there are several, unless false. */
  readonly platformSplit?: boolean;
}

/**
 * Writes the files of the image into a directory; of several platforms each into one of its own, such as
 * `linux_arm64`. A directory that did not exist appears only when it is complete.
 */
export function localTree(options: LocalTreeOptions): Exporter {
  const { destination } = options;
  return {
    name: 'exporting to client directory',
    async export(result, report, signal) {
      await explaining(destination, () => copyImages(result, options, report, signal));
      return { destination };
    },
  };
}

async function copyImages(
  result: Exportable,
  options: LocalTreeOptions,
  report: ReportExport,
  signal: AbortSignal,
): Promise<void> {
  const { destination } = options;
  const target = existsSync(destination) ? destination : `${destination}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    for (const { under, openRootfs } of partsOf(result.images, options.platformSplit)) {
      const part = under === undefined ? target : join(target, under);
      const copied = await copyTree(await openRootfs(signal), part, { ...options, latest: result.epoch }, signal);
      report('copying files', copied, copied);
    }
    if (target !== destination) renameSync(target, destination);
  } catch (error) {
    if (target !== destination) rmSync(target, { recursive: true, force: true });
    throw error;
  }
}

interface TreeCopy {
  readonly writer: TreeWriter;
  readonly owner: LocalTreeOptions['owner'];
  readonly latest: number;
  /** First path of each file with several names, by device and inode. */
  readonly links: Map<string, string>;
}

/** Gives the bytes copied. */
async function copyTree(
  directories: readonly string[],
  target: string,
  { flavour, owner, latest = Infinity }: LocalTreeOptions & { readonly latest?: number },
  signal: AbortSignal,
): Promise<number> {
  mkdirSync(target, { recursive: true });
  const tree = openCommittedTree(directories, flavour);
  const copy: TreeCopy = {
    writer: createTreeWriter({ upper: target, lowers: [], flavour }),
    owner,
    latest,
    links: new Map(),
  };
  let bytes = 0;
  const pending = [...tree.list('')].reverse();
  for (let entry = pending.pop(), count = 1; entry !== undefined; entry = pending.pop(), count++) {
    bytes += copyEntry(copy, entry);
    if (entry.stats.isDirectory()) pending.push(...[...tree.list(entry.path)].reverse());
    if (count % 256 === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
  }
  copy.writer.finish();
  return bytes;
}

function copyEntry({ writer, owner, latest, links }: TreeCopy, { path, location, stats }: LayeredEntry): number {
  const own = readAttributes(location, stats);
  const attributes = { ...own, ...owner, mtimeMs: Math.min(own.mtimeMs, latest) };
  if (stats.isDirectory()) writer.directory(path, attributes);
  else if (stats.isSymbolicLink()) writer.symlink(path, attributes, readlinkSync(location));
  else if (stats.isFile()) return copyFile(writer, links, { path, location, stats }, attributes);
  else if (!stats.isSocket()) copySpecial(writer, path, stats, attributes);
  return 0;
}

function copyFile(
  writer: TreeWriter,
  links: Map<string, string>,
  { path, location, stats }: Pick<LayeredEntry, 'path' | 'location' | 'stats'>,
  attributes: Attributes,
): number {
  const inode = `${stats.dev}:${stats.ino}`;
  const existing = stats.nlink > 1 ? links.get(inode) : undefined;
  if (existing !== undefined) {
    writer.link(path, existing);
    return 0;
  }
  if (stats.nlink > 1) links.set(inode, path);
  return writer.file(path, attributes, { location });
}

function copySpecial(writer: TreeWriter, path: string, stats: Stats, attributes: Attributes): void {
  try {
    writer.special(path, attributes, stats.mode & FileType.mask, stats.rdev);
  } catch (cause) {
    const reason = hasCode(cause, 'SNAPSHOT') ? cause.cause : cause;
    if (errnoName(reason) !== 'EPERM') throw cause;
    throw new TbuildError(
      'UNSUPPORTED',
      `Device ${JSON.stringify(`/${path}`)} of the image can only be written by root`,
      {
        hint: 'Use -o type=tar, or remove the device in the last stage',
        cause,
      },
    );
  }
}
