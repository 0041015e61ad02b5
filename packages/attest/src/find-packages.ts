import { setImmediate } from 'node:timers/promises';
import { hasCode } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
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
import { parseRpmDatabase, RPM_DATABASE } from './rpm/parse-rpm-database.ts';

/** The packages installed in a tree. */
export interface Inventory {
  readonly distribution?: Distribution;
  readonly packages: readonly InstalledPackage[];
}

type Reader = (bytes: Buffer, source: string) => readonly InstalledPackage[];

const ofText =
  (read: (text: string, source: string) => readonly InstalledPackage[]): Reader =>
  (bytes, source) =>
    read(bytes.toString('utf8'), source);

const DPKG = ofText(parseDpkgStatus);
const APK = ofText(parseApkDatabase);
const NPM_PACKAGE = ofText(parsePackageJson);
const NPM_LOCK = ofText(parsePackageLock);

const DATABASES: Readonly<Record<string, Reader>> = {
  'var/lib/dpkg/status': DPKG,
  'lib/apk/db/installed': APK,
  'usr/lib/apk/db/installed': APK,
};

export interface FindOptions {
  /** Reports the path of a package database that cannot be read. */
  onDamaged(path: string): void;
  readonly signal: AbortSignal;
}

/** In bytes. Twice the rpm database of a full desktop. */
const LARGEST_DATABASE = 256 * 1024 * 1024;

/** Finds the packages in a tree's databases (dpkg, apk, rpm, npm). Lists each package once. */
export async function findPackages(tree: LayeredTree, { onDamaged, signal }: FindOptions): Promise<Inventory> {
  const found = new Map<string, InstalledPackage>();
  const read = <T>(parse: (bytes: Buffer, source: string) => T, { path, location }: LayeredEntry): T | undefined => {
    try {
      return parse(readLimitedFile(location, { what: path, limit: LARGEST_DATABASE }) ?? Buffer.alloc(0), path);
    } catch (error) {
      if (!(error instanceof RangeError) && !hasCode(error, 'CONTEXT')) throw error;
      onDamaged(path);
      return undefined;
    }
  };
  await eachFile(tree, signal, (file) => {
    const reader = readerOf(file.path);
    for (const one of reader === undefined ? [] : (read(reader, file) ?? [])) {
      const key = JSON.stringify([one.kind, one.name, one.version, one.architecture]);
      if (!found.has(key)) found.set(key, one);
    }
  });
  const release = ['usr/lib/os-release', 'etc/os-release']
    .map((path) => tree.stat(path))
    .find((entry) => entry?.stats.isFile() === true);
  const distribution = release && read((bytes) => parseOsRelease(bytes.toString('utf8')), release);
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
  if (/^var\/lib\/dpkg\/status\.d\/[^/]+$/.test(path)) return path.endsWith('.md5sums') ? undefined : DPKG;
  if (RPM_DATABASE.test(path)) return parseRpmDatabase;
  if (/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path)) return NPM_PACKAGE;
  // A lock file counts beside an installed application, and in an image that ships a bundle without `node_modules`.
  return /(?:^|\/)package-lock\.json$/.test(path) && !path.includes('node_modules/') ? NPM_LOCK : undefined;
}
