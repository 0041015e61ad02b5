import type { Provider } from '@tbuild/content';
import type { Descriptor } from '@tbuild/oci';
import { applyLayer, type LayerFile, type LayerFiles, type LayerReading } from './read-layer-files.ts';
import type { StoredImage } from './stored-images.ts';

/** One difference: a file that was added, changed or deleted. */
export interface FileChange {
  readonly kind: 'A' | 'C' | 'D';
  /** Absolute path. */
  readonly path: string;
  /** Size difference in bytes, negative if the second image has less. */
  readonly bytes: number;
}

/**
 * Returns the differences between two images by path: content, type, mode, owner and links, but not times. As in
 * `docker diff`, a directory is changed if an entry was added or deleted.
 */
export async function compareImages(
  [first, second]: readonly [StoredImage, StoredImage],
  content: Provider,
  signal: AbortSignal,
): Promise<readonly FileChange[]> {
  return compareLayers(first.manifest.layers, second.manifest.layers, { content, signal });
}

/** Returns the changes in an image's top layer, or nothing for an image without layers. */
export function compareTopLayer(
  { manifest }: StoredImage,
  content: Provider,
  signal: AbortSignal,
): Promise<readonly FileChange[]> {
  return compareLayers(manifest.layers.slice(0, -1), manifest.layers, { content, signal });
}

async function compareLayers(
  below: readonly Descriptor[],
  above: readonly Descriptor[],
  reading: LayerReading,
): Promise<readonly FileChange[]> {
  const differing = below.findIndex(({ digest }, at) => digest !== above[at]?.digest);
  const shared = differing < 0 ? below.length : differing;
  const common: LayerFiles = new Map();
  for (const layer of below.slice(0, shared)) await applyLayer(common, layer, reading);
  const [before, after] = [new Map(common), new Map(common)];
  for (const layer of below.slice(shared)) await applyLayer(before, layer, reading);
  for (const layer of above.slice(shared)) await applyLayer(after, layer, reading);
  return changesBetween(before, after);
}

function changesBetween(before: LayerFiles, after: LayerFiles): readonly FileChange[] {
  const changes = new Map<string, FileChange>();
  const touched = new Set<string>();
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const kind = kindOf(before.get(path), after.get(path));
    if (kind === undefined) continue;
    changes.set(path, { kind, path, bytes: (after.get(path)?.size ?? 0) - (before.get(path)?.size ?? 0) });
    if (kind !== 'C') touched.add(path.slice(0, path.lastIndexOf('/')));
  }
  for (const path of touched)
    if (path !== '' && after.has(path) && !changes.has(path)) changes.set(path, { kind: 'C', path, bytes: 0 });
  // Omit what was in a deleted directory.
  const shown = [...changes.values()].filter(
    ({ kind, path }) => kind !== 'D' || changes.get(path.slice(0, path.lastIndexOf('/')))?.kind !== 'D',
  );
  return shown.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function kindOf(before: LayerFile | undefined, after: LayerFile | undefined): FileChange['kind'] | undefined {
  if (before === undefined) return 'A';
  if (after === undefined) return 'D';
  return before.identity === after.identity ? undefined : 'C';
}
