import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ActiveSnapshot } from './snapshotter.ts';

/** The name of an inserted layer, beside the directory of the changes. */
export const INSERTED_LAYER = 'in';

/** An active snapshot to mount with a layer between its parent and its changes. */
export interface WithInsertedLayer extends Pick<ActiveSnapshot, 'upper' | 'lowers' | 'mount'> {
  /** The directory of the layer, empty at first. Fill it before you mount. */
  readonly layer: string;
}

/**
 * Puts a layer between the changes of an active snapshot and its parent, for mounts before the commit. The commit drops
 * it: only what a process changes of it is part of the tree.
 */
export function insertLayer({ upper, lowers, mount }: ActiveSnapshot): WithInsertedLayer {
  const layer = join(mount.directory, INSERTED_LAYER);
  mkdirSync(layer, 0o755);
  const options = mount.options.map((option) => option.replace(/^lowerdir=/, `lowerdir=${INSERTED_LAYER}:`));
  return { upper, lowers: [...lowers, layer], mount: { ...mount, options }, layer };
}
