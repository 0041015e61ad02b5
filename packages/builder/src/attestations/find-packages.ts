import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { LayeredEntry, LayeredTree } from '@tbuild/snapshot';
import {
  parseApkDatabase,
  parseDpkgStatus,
  parseOsRelease,
  parsePackageJson,
  parsePackageLock,
  type Distribution,
  type InstalledPackage,
} from './packages.ts';

/** What is installed in a tree. */
export interface Inventory {
  readonly distribution?: Distribution;
  readonly packages: readonly InstalledPackage[];
}

type Reader = (text: string, source: string) => readonly InstalledPackage[];

const DATABASES: Readonly<Record<string, Reader>> = {
  'var/lib/dpkg/status': parseDpkgStatus,
  'lib/apk/db/installed': parseApkDatabase,
  'usr/lib/apk/db/installed': parseApkDatabase,
};

/** Looks through a tree for package databases: of dpkg, apk and npm; each package once. */
export async function findPackages(tree: LayeredTree, signal: AbortSignal): Promise<Inventory> {
  const found = new Map<string, InstalledPackage>();
  await eachFile(tree, signal, ({ path, location }) => {
    const read = readerOf(path);
    for (const one of read?.(readFileSync(location, 'utf8'), path) ?? []) {
      const key = JSON.stringify([one.kind, one.name, one.version, one.architecture]);
      if (!found.has(key)) found.set(key, one);
    }
  });
  const release = ['usr/lib/os-release', 'etc/os-release']
    .map((path) => tree.stat(path))
    .find((entry) => entry?.stats.isFile() === true);
  const distribution = release === undefined ? undefined : parseOsRelease(readFileSync(release.location, 'utf8'));
  return { distribution, packages: [...found.values()] };
}

/** Calls `visit` for every regular file, in order. */
export async function eachFile(
  tree: LayeredTree,
  signal: AbortSignal,
  visit: (file: LayeredEntry) => void,
): Promise<void> {
  const pending = [...tree.list('')].reverse();
  for (let entry = pending.pop(), count = 1; entry !== undefined; entry = pending.pop(), count++) {
    if (entry.stats.isDirectory()) pending.push(...[...tree.list(entry.path)].reverse());
    else if (entry.stats.isFile()) visit(entry);
    if (count % 256 === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
  }
}

function readerOf(path: string): Reader | undefined {
  if (Object.hasOwn(DATABASES, path)) return DATABASES[path];
  if (/^var\/lib\/dpkg\/status\.d\/[^/]+$/.test(path)) return path.endsWith('.md5sums') ? undefined : parseDpkgStatus;
  if (/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path)) return parsePackageJson;
  // Beside what is installed, or instead of it in an image that bundles.
  return /(?:^|\/)package-lock\.json$/.test(path) && !path.includes('node_modules/') ? parsePackageLock : undefined;
}
