import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Random } from '../support/random.ts';
import { tarOf } from '../support/write-tar.ts';
import { buildArguments, writeFiles } from './run-tbuild.ts';

/** The directory in which the operations of a case work, with the store, the projects and what they write. */
export interface Site {
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Whether tbuild runs as the ordinary user of the tests. */
  readonly asUser?: boolean;
  /** `127.0.0.1:port` of a registry. */
  readonly registry: string;
  /** The archive that `load` reads; it holds `app:loaded`. */
  readonly archive: string;
}

/** Two projects that differ in one file, and one with a large copy, whose layer and tree begin before its key is known. */
export const VARIANTS = ['a', 'b', 'large'] as const;
export type Variant = (typeof VARIANTS)[number];

/** A command of tbuild. */
export interface Operation {
  readonly name: string;
  /** The project that it builds. */
  readonly builds?: Variant;
  /** Variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  arguments(site: Site): readonly string[];
}

const DOCKERFILE = `FROM busybox AS build
COPY src /src
RUN cat /src/* > /out
FROM busybox
WORKDIR /w
COPY --from=build /out /out
RUN --mount=type=cache,target=/cache cat /out > /w/all && echo 1 > /cache/one
RUN mkdir /d && echo d > /d/file && ln /d/file /d/same && ln -s file /d/link
COPY --link last /last
ADD capable.tar /
`;

const LARGE_DOCKERFILE = `FROM busybox
COPY many /many
RUN cat /many/* > /all
`;
const MANY = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`many/${n}`, `${n}\n`]));

/** A file with an extended attribute. */
const CAPABLE = tarOf([
  { name: 'capable', data: 'x', pax: { 'SCHILY.xattr.security.capability': `\x01\0\0\x02\0\x20${'\0'.repeat(14)}` } },
]);

/** Writes the projects of a site and makes its directories. */
export function makeSite(site: Site): Site {
  for (const variant of ['a', 'b'] as const)
    writeFiles(projectOf(site, variant), {
      Dockerfile: DOCKERFILE,
      'src/1': 'one\n',
      'src/2': `${variant}\n`,
      last: 'last\n',
      'capable.tar': CAPABLE,
    });
  writeFiles(projectOf(site, 'large'), { Dockerfile: LARGE_DOCKERFILE, ...MANY });
  mkdirSync(outputsOf(site), { recursive: true });
  mkdirSync(join(site.directory, 'home'), { recursive: true });
  return site;
}

/** Returns the directory for archives, trees and caches. */
export function outputsOf({ directory }: Pick<Site, 'directory'>): string {
  return join(directory, 'out');
}

function projectOf({ directory }: Pick<Site, 'directory'>, variant: Variant): string {
  return join(directory, `project-${variant}`);
}

/** Returns the arguments of a build whose layers and configuration are the same in every store. */
export function reproducibleBuild(
  site: Pick<Site, 'directory'>,
  variant: Variant,
  ...options: readonly string[]
): string[] {
  const output = ['--output', `type=image,name=app:${variant},rewrite-timestamp=true`];
  return buildArguments(projectOf(site, variant), ...output, ...options);
}

function build(name: string, builds: Variant, options: (site: Site) => readonly string[] = () => []): Operation {
  return { name, builds, arguments: (site) => reproducibleBuild(site, builds, ...options(site)) };
}

const cacheOf = (site: Site): string => join(outputsOf(site), 'cache');
const archiveOf = (site: Site): string => join(outputsOf(site), 'image.tar');

/** Commands that change a store, each possible in any state of it. */
export const operations: readonly Operation[] = [
  build('build', 'a'),
  build('build the other', 'b'),
  build('build all again', 'a', () => ['--no-cache']),
  build('build a large copy', 'large'),
  build('export a cache', 'a', (site) => ['--cache-to', `type=local,dest=${cacheOf(site)},mode=max`]),
  build('import a cache', 'b', (site) =>
    existsSync(join(cacheOf(site), 'index.json')) ? ['--cache-from', `type=local,src=${cacheOf(site)}`] : [],
  ),
  build('export an archive', 'a', (site) => ['--output', `type=oci,dest=${archiveOf(site)}`]),
  build('export a directory', 'b', (site) => ['--output', `type=local,dest=${join(outputsOf(site), 'tree')}`]),
  { ...build('build beyond the limit of the cache', 'b'), env: { TBUILD_MAX_USED_SPACE: '1MB' } },
  build('write files about a build', 'a', (site) => [
    '--output',
    `type=tar,dest=${join(outputsOf(site), 'tree.tar')}`,
    '--metadata-file',
    join(outputsOf(site), 'metadata.json'),
    '--iidfile',
    join(outputsOf(site), 'id'),
  ]),
  build('print an archive', 'b', () => ['--output', 'type=oci,dest=-']),
  build('push', 'a', ({ registry, directory }) => [
    '--output',
    `type=registry,name=${registry}/${basename(directory).toLowerCase()}/app:1,rewrite-timestamp=true`,
  ]),
  { name: 'load', arguments: ({ archive }) => ['load', '--input', archive] },
  { name: 'images', arguments: () => ['images'] },
  { name: 'du', arguments: () => ['du', '--verbose'] },
  { name: 'fsck', arguments: () => ['fsck', '--full'] },
  { name: 'prune', arguments: () => ['prune', '--force'] },
  { name: 'prune everything', arguments: () => ['prune', '--all', '--force'] },
  { name: 'prune to a size', arguments: () => ['prune', '--force', '--max-used-space', '1MB'] },
];

/** Returns whether only a part of an exported archive is there: it has to be the whole or nothing. */
export function isArchiveCutOff(site: Site): boolean {
  if (!existsSync(archiveOf(site))) return false;
  const bytes = readFileSync(archiveOf(site));
  return bytes.length < 1024 || !bytes.subarray(-1024).every((byte) => byte === 0);
}

/** Returns a few operations to run one after another. */
export function randomOperations(random: Random, most: number): readonly Operation[] {
  return Array.from({ length: 1 + random.int(most) }, () => random.pick(operations));
}
