import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { detectMountFeatures, TOOL_ENVIRONMENT } from './tools.ts';

const OVERLAY = 0x794c_7630;
/** ext2 to ext4, XFS, Btrfs. */
const HOLDS_OVERLAYS: readonly number[] = [0xef53, 0x5846_5342, 0x9123_683e];

/**
 * Why no overlay can be mounted here whose changes go to `directory`, which exists; undefined when one can. Common file systems
 * are known, with others it is tried, which takes some milliseconds.
 */
export function overlayObstacle(directory: string, flavour: OverlayFlavour): string | undefined {
  const { type } = statfsSync(directory);
  if (type === OVERLAY) return 'it lies on an overlay itself';
  const known = flavour === 'trusted' || detectMountFeatures().userOverlays;
  return known && HOLDS_OVERLAYS.includes(type) ? undefined : complaintOf(directory, flavour);
}

/** Deleting and replacing take whiteouts and attributes, which a file system may lack although the mount succeeds. */
const TRIAL = [
  'mount -n -t overlay -o "$1" overlay merged',
  'rm merged/file',
  'rm -r merged/directory',
  'mkdir merged/directory',
  '[ ! -e merged/file ]',
  '[ ! -e merged/directory/file ] || { echo "directories cannot be replaced in it" >&2; exit 1; }',
].join('\n');

function complaintOf(parent: string, flavour: OverlayFlavour): string | undefined {
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
