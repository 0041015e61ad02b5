import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { explaining } from '../destination.ts';
import type { Exportable, Exporter, ExportRun } from '../exporter.ts';
import { copyTree, type CopiedTree, type TreeOwner } from './copy-tree.ts';
import { openParts } from './platform-directory.ts';

export interface LocalTreeOptions {
  /** Absolute path; files of the same name are replaced. */
  readonly destination: string;
  /** Whether other files in the directory stay (`copy`, the default) or are deleted. */
  readonly mode?: 'copy' | 'delete';
  /** Write only this directory or file of the tree: an absolute path. */
  readonly from?: string;
  /** Which attributes mark opaque directories of the snapshots. */
  readonly flavour: OverlayFlavour;
  /** The owner of the files: the user who builds, as with buildx. In a user namespace root is that user. */
  readonly owner: TreeOwner;
  /** Make a directory for each platform. Defaults to true when there are several. */
  readonly platformSplit?: boolean;
}

/**
 * Writes the files of the image into a directory; those of several platforms into a directory for each, such as
 * `linux_arm64`. A new directory appears only when it is complete. Follows no symbolic link inside the directory. With
 * device nodes, only the owner may enter the directory.
 * @throws TbuildError USAGE when several platforms share a directory and their files differ, or when there are device
 * nodes and others may enter an existing directory.
 */
export function localTree(options: LocalTreeOptions): Exporter {
  const { destination } = options;
  return {
    name: 'exporting to client directory',
    async export(result, report, signal) {
      await explaining(destination, () => copyImages(result, options, { report, signal }));
      return { destination };
    },
  };
}

async function copyImages(
  result: Exportable,
  { destination, mode, from, ...options }: LocalTreeOptions,
  { report, signal }: ExportRun,
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
    for (const { under = '', directories } of await openParts(result, options, signal)) {
      const into = { target: join(target, under), latest: result.epoch, owner: options.owner, onDevice };
      const copy = await copyTree({ directories, flavour: options.flavour, from }, into, signal);
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

/**
 * Makes a directory beside the destination that nobody else can enter, so that nobody is inside before it is closed.
 */
function makeStaging(destination: string): string {
  const staging = `${destination}.${randomBytes(6).toString('hex')}.tmp`;
  makeDirectory(dirname(destination));
  mkdirSync(staging, { mode: 0o700 });
  return staging;
}

/** Refuses: whoever reaches a device node can use the device. */
function requireClosed(destination: string, path: string): void {
  if ((statSync(destination).mode & 0o011) === 0) return;
  const message = `Device ${JSON.stringify(`/${path}`)} of the image must not be written to ${JSON.stringify(destination)}: other users may enter it`;
  throw new TbuildError('USAGE', message, {
    hint: `Run chmod go-rwx ${destination}, name a new directory, or use -o type=tar`,
  });
}

/** Removes a link itself, never its target. */
function removeOthers(target: string, directory: string, kept: ReadonlySet<string>): void {
  for (const entry of readdirSync(join(target, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!kept.has(path)) rmSync(join(target, path), { recursive: true, force: true });
    else if (entry.isDirectory()) removeOthers(target, path, kept);
  }
}
