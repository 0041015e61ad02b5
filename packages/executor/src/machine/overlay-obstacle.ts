import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import type { OverlayFlavour } from '@tbuild/snapshot';
import type { StoreLayout } from '@tbuild/store';
import { detectMountFeatures, TOOL_ENVIRONMENT } from './tools.ts';

const OVERLAY = 0x794c_7630;
/** ext2 to ext4, XFS, Btrfs. */
const SUPPORTED_TYPES: readonly number[] = [0xef53, 0x5846_5342, 0x9123_683e];

/**
 * Returns why no overlay can be mounted whose upper directory is in the store, or undefined if one can. Common file
 * systems are known; on others it tries, which takes some milliseconds. It tries where a prune removes what a killed build
 * left.
 */
export function overlayObstacle(
  { root, run }: Pick<StoreLayout, 'root' | 'run'>,
  flavour: OverlayFlavour,
): string | undefined {
  const { type } = statfsSync(root);
  if (type === OVERLAY) return 'it is itself on an overlay';
  const known = flavour === 'trusted' || detectMountFeatures().userOverlays;
  return known && SUPPORTED_TYPES.includes(type) ? undefined : tryOverlay(run, flavour);
}

/** Deleting and replacing need whiteouts and attributes. A file system may lack them although the mount succeeds. */
const TRIAL = [
  'mount -n -t overlay -o "$1" overlay merged',
  'rm merged/file',
  'rm -r merged/directory',
  'mkdir merged/directory',
  '[ ! -e merged/file ]',
  '[ ! -e merged/directory/file ] || { echo "it does not support opaque directories" >&2; exit 1; }',
].join('\n');

function tryOverlay(parent: string, flavour: OverlayFlavour): string | undefined {
  makeDirectory(parent);
  const cwd = mkdtempSync(join(parent, 'overlay-'));
  try {
    for (const name of ['lower/directory', 'upper', 'work', 'merged']) mkdirSync(join(cwd, name), { recursive: true });
    for (const name of ['lower/file', 'lower/directory/file']) writeFileSync(join(cwd, name), '');
    const options = `lowerdir=lower,upperdir=upper,workdir=work${flavour === 'user' ? ',userxattr' : ''}`;
    const { status, stderr, error } = spawnSync('unshare', ['--mount', 'sh', '-ec', TRIAL, 'sh', options], {
      cwd,
      env: TOOL_ENVIRONMENT,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status === 0) return undefined;
    return error?.message ?? (stderr.trim().split('\n')[0] || `exit code ${status}`);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
