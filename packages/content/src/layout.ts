import { statSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import {
  Annotation,
  type Descriptor,
  type Digest,
  formatReference,
  isDigest,
  isIndex,
  MediaType,
  parseManifest,
  parseReference,
} from '@tbuild/oci';
import type { Provider } from './content-store.ts';
import { createLocalStore, type LocalStore } from './local-store.ts';
import { readWhole } from './whole-blob.ts';

/** An OCI image layout of any tool, to read images from. */
export interface Layout {
  readonly provider: Provider;
  /**
   * Resolves a name in `index.json`, a tag or a digest. Without a name: `latest`, or the only image.
   *
   * @throws TbuildError NOT_FOUND with the names of the layout.
   */
  resolve(name?: string): Promise<Descriptor>;
}

/**
 * Opens a directory that holds an OCI image layout.
 *
 * @throws TbuildError NOT_FOUND when it has no `index.json`, REGISTRY when that is not valid.
 */
export async function openLayout(directory: string): Promise<Layout> {
  const entries = readLayoutIndex(directory);
  if (entries === undefined) {
    throw new TbuildError('NOT_FOUND', `${JSON.stringify(directory)} is not an OCI image layout: it has no index.json`);
  }
  const store = createLocalStore(directory, { keepCorrupt: true });
  return {
    provider: { has: store.has, read: store.read },
    resolve: async (name) => resolve({ directory, entries, store }, name),
  };
}

/**
 * Returns the entries of the index of a layout, or undefined when there is none.
 * @throws TbuildError REGISTRY when it is not valid.
 */
export function readLayoutIndex(directory: string): readonly Descriptor[] | undefined {
  const file = join(directory, 'index.json');
  const bytes = readLimitedFile(file, { what: `Index ${JSON.stringify(file)}`, code: 'REGISTRY' });
  if (bytes === undefined) return undefined;
  const index = parseManifest(bytes);
  return isIndex(index) ? index.manifests : [];
}

interface OpenLayout {
  readonly directory: string;
  readonly entries: readonly Descriptor[];
  readonly store: LocalStore;
}

async function resolve({ directory, entries, store }: OpenLayout, name?: string): Promise<Descriptor> {
  const wanted = name ?? 'latest';
  const found = isDigest(wanted)
    ? (entries.find((entry) => entry.digest === wanted) ?? (await describe(store, wanted)))
    : (findNamed(entries, wanted) ?? (name === undefined ? only(entries) : undefined));
  if (found !== undefined) return withoutNames(found);
  const names = entries.map((entry) => namesOf(entry)[0] ?? entry.digest);
  throw new TbuildError(
    'NOT_FOUND',
    `Image ${JSON.stringify(wanted)} is not in the layout ${JSON.stringify(directory)}`,
    {
      hint:
        names.length === 0
          ? 'Name another directory: it holds no image'
          : `Choose from ${names.slice(0, 20).join(', ')}`,
    },
  );
}

function findNamed(entries: readonly Descriptor[], wanted: string): Descriptor | undefined {
  const full = fullName(wanted);
  return (
    entries.find((entry) => namesOf(entry).includes(wanted)) ??
    entries.find((entry) => full !== undefined && namesOf(entry).some((name) => fullName(name) === full)) ??
    only(entries.filter((entry) => namesOf(entry).some((name) => tagOf(name) === wanted)))
  );
}

function namesOf({ annotations = {} }: Descriptor): readonly string[] {
  return [annotations[Annotation.refName], annotations[Annotation.containerdName]].filter((name) => name !== undefined);
}

function tagOf(name: string): string | undefined {
  return /:([\w][\w.-]*)$/.exec(name)?.[1];
}

function fullName(name: string): string | undefined {
  try {
    return formatReference(parseReference(name));
  } catch {
    return undefined;
  }
}

/** Returns the only image. Entries with one digest are one image with several names. */
function only(entries: readonly Descriptor[]): Descriptor | undefined {
  return new Set(entries.map((entry) => entry.digest)).size === 1 ? entries[0] : undefined;
}

async function describe(store: LocalStore, digest: Digest): Promise<Descriptor | undefined> {
  const size = statSync(store.path(digest), { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  const { mediaType } = parseManifest(await readWhole(store, { mediaType: MediaType.manifest, digest, size }));
  return { mediaType, digest, size };
}

function withoutNames(entry: Descriptor): Descriptor {
  const { annotations: { [Annotation.refName]: _, [Annotation.containerdName]: __, ...own } = {}, ...bare } = entry;
  return Object.keys(own).length === 0 ? bare : { ...bare, annotations: own };
}
