import { posix } from 'node:path';
import { resolveDestination } from '@tbuild/context';
import type { LayeredTree, TreeWriter } from '@tbuild/snapshot';
import type { StepDevices } from '../../devices/step-devices.ts';

/** Where the linker of glibc has its cache. */
export const LINKER_CACHE = 'etc/ld.so.cache';

const [FILE, DIRECTORY] = [
  { mode: 0o644, uid: 0, gid: 0, mtimeMs: 0 },
  { mode: 0o755, uid: 0, gid: 0, mtimeMs: 0 },
];

/** Writes the links of devices, and the linker's cache with their libraries, into a layer that only the step sees. */
export function placeForDevices(
  { devices, linkerCache }: { readonly devices: StepDevices; readonly linkerCache?: Uint8Array },
  tree: LayeredTree,
  writer: TreeWriter,
): void {
  for (const [path, target] of devices.links) {
    const place = resolveDestination(tree, posix.dirname(path));
    const link = posix.join(place, posix.basename(path));
    if (tree.stat(link) !== undefined) continue;
    if (place !== '') writer.ensureDirectory(place, DIRECTORY);
    writer.symlink(link, DIRECTORY, target);
  }
  if (linkerCache === undefined) return;
  writer.ensureDirectory(posix.dirname(LINKER_CACHE), DIRECTORY);
  writer.file(LINKER_CACHE, FILE, { bytes: linkerCache });
}
