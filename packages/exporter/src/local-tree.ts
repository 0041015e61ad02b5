import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import type { ReportTransfer } from '@tbuild/progress';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { copyTree, type CopiedTree, type TreeOwner } from './copy-tree.ts';
import { explaining } from './destination.ts';
import type { Exportable, Exporter } from './exporter.ts';
import { openParts } from './platform-directory.ts';

export interface LocalTreeOptions {
  /** Absolute path; files of the same name are replaced. */
  readonly destination: string;
  /** What else is there stays (`copy`, unless given) or goes. */
  readonly mode?: 'copy' | 'delete';
  /** Which attributes the snapshots' opaque directories carry. */
  readonly flavour: OverlayFlavour;
  /** Who gets the files: the user who builds, as buildx does. In a user namespace root is that user. */
  readonly owner: TreeOwner;
  /** A directory for each platform; so when there are several, unless false. */
  readonly platformSplit?: boolean;
}

/**
 * Writes the files of the image into a directory; of several platforms each into one of its own, such as
 * `linux_arm64`. A directory that did not exist appears only when it is complete. Nothing is written or removed
 * through a symbolic link that is in it. Where there are device nodes, nobody but the owner may enter the directory.
 * @throws TbuildError USAGE when several platforms are to share a directory and their files differ, or when there are device nodes
 * and others may enter a directory that existed.
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
  { destination, mode, ...options }: LocalTreeOptions,
  report: ReportTransfer,
  signal: AbortSignal,
): Promise<void> {
  const staging = existsSync(destination) ? undefined : makeStaging(destination);
  const target = staging === undefined ? destination : join(staging, 'tree');
  const onDevice = (path: string): void => {
    if (staging === undefined) requireClosed(destination, path);
    else chmodSync(target, 0o700);
  };
  const copies: CopiedTree[] = [];
  const kept = new Set<string>();
  try {
    for (const { under = '', directories } of await openParts(result.images, options, signal)) {
      const into = { target: join(target, under), latest: result.epoch, owner: options.owner, onDevice };
      const copy = await copyTree({ directories, flavour: options.flavour }, into, signal);
      copies.push(copy);
      for (const path of ['', ...copy.paths]) kept.add(join(under, path));
      report('copying files', copy.bytes, copy.bytes);
    }
    if (mode === 'delete') removeOthers(target, '', kept);
    for (const copy of copies) copy.finish();
    if (staging !== undefined) renameSync(target, destination);
  } finally {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
  }
}

/** A new directory beside the destination that nobody else can enter, so that nobody is in the tree before it is closed. */
function makeStaging(destination: string): string {
  const staging = `${destination}.${randomBytes(6).toString('hex')}.tmp`;
  makeDirectory(dirname(destination));
  mkdirSync(staging, { mode: 0o700 });
  return staging;
}

/** Through a device node anybody who reaches it can use the device. */
function requireClosed(destination: string, path: string): void {
  if ((statSync(destination).mode & 0o011) === 0) return;
  const message = `Device ${JSON.stringify(`/${path}`)} of the image cannot be written to ${JSON.stringify(destination)}: other users may enter it`;
  throw new TbuildError('USAGE', message, {
    hint: `Run chmod go-rwx ${destination}, name a new directory, or use -o type=tar`,
  });
}

/** A link is removed itself, never what it leads to. */
function removeOthers(target: string, directory: string, kept: ReadonlySet<string>): void {
  for (const entry of readdirSync(join(target, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!kept.has(path)) rmSync(join(target, path), { recursive: true, force: true });
    else if (entry.isDirectory()) removeOthers(target, path, kept);
  }
}
