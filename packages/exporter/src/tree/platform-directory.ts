import type { TreePart } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import { formatPlatform, type Platform } from '@tbuild/oci';
import { openCommittedTree, type OverlayFlavour } from '@tbuild/snapshot';
import type { Exportable } from '../exporter.ts';

export interface PartsOptions {
  readonly flavour: OverlayFlavour;
  /** Make a directory for each platform. Defaults to true when there are several. */
  readonly platformSplit?: boolean;
}

/**
 * Returns the trees of a result, each with its directory, such as `linux_arm_v7`: none for a single platform, unless
 * requested.
 * @throws TbuildError USAGE for several without directories when two of them have different files at the same place.
 */
export async function openParts(
  { images, isMultiPlatform = images.length > 1 }: Pick<Exportable, 'images' | 'isMultiPlatform'>,
  { flavour, platformSplit = isMultiPlatform }: PartsOptions,
  signal: AbortSignal,
): Promise<readonly TreePart[]> {
  const parts: (TreePart & { readonly platform: Platform })[] = [];
  for (const { image, openRootfs } of images) {
    const under = platformSplit ? platformDirectory(image.platform) : undefined;
    parts.push({ under, directories: await openRootfs(signal), platform: image.platform });
  }
  if (!platformSplit && images.length > 1) refuseConflicts(parts, flavour);
  return parts;
}

/** Returns the name of a platform as a file name. */
export function platformDirectory(platform: Platform): string {
  return formatPlatform(platform).replaceAll('/', '_');
}

function refuseConflicts(
  parts: readonly (TreePart & { readonly platform: Platform })[],
  flavour: OverlayFlavour,
): void {
  const owners = new Map<string, { readonly platform: Platform; readonly isDirectory: boolean }>();
  for (const { directories, platform } of parts) {
    const tree = openCommittedTree(directories, flavour);
    const pending = [...tree.list('')];
    for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
      const isDirectory = entry.stats.isDirectory();
      const owner = owners.get(entry.path);
      if (owner !== undefined && !(owner.isDirectory && isDirectory))
        throw conflict(entry.path, owner.platform, platform);
      owners.set(entry.path, { platform, isDirectory });
      if (isDirectory) pending.push(...tree.list(entry.path));
    }
  }
}

function conflict(path: string, first: Platform, second: Platform): TbuildError {
  const names = [first, second].map(formatPlatform).join(' and ');
  return new TbuildError('USAGE', `File ${JSON.stringify(`/${path}`)} of ${names} cannot share a directory`, {
    hint: 'Leave out platform-split=false, or give the file a name with $TARGETARCH',
  });
}
