import { join } from 'node:path';
import { isWholeBuild } from '@tbuild/builds';
import { readExplanation } from '@tbuild/cache';
import { isIndexFile } from '@tbuild/context';
import { isCopyMemo } from '@tbuild/copy';
import { isDigest } from '@tbuild/oci';
import { listDirectory, readNote, readSecretKey, type StoreLayout } from '@tbuild/store';
import { withPauses } from '../pauses.ts';
import { type CheckedStore, isThere } from './checked-store.ts';
import { type Damage, unreadable } from './damage.ts';

type Place =
  | 'records'
  | 'layers'
  | 'variants'
  | 'digests'
  | 'resolved'
  | 'http'
  | 'explain'
  | 'copies'
  | 'contextIndex'
  | 'builds';

/** The small files of a kind. */
interface Kind {
  /** Says what the file with a name is. */
  what(name: string, directory: string): string;
  readonly place: Place;
  /** Whether they are in directories of `place`, whose names are passed to `what`. */
  readonly isNested?: boolean;
  isWhole(path: string): boolean;
}

const isNote = (path: string): boolean => readNote(path) !== undefined;

const KINDS: readonly Kind[] = [
  { place: 'records', what: (name) => `Record sha256:${name}`, isWhole: isNote },
  { place: 'layers', what: (name) => `The description of the layer of sha256:${name}`, isWhole: isNote },
  {
    place: 'variants',
    isNested: true,
    what: (name, diffId) => `The description of the ${name} form of layer sha256:${diffId}`,
    isWhole: isNote,
  },
  { place: 'digests', isNested: true, what: (name, result) => `Digest ${name} of sha256:${result}`, isWhole: isNote },
  { place: 'resolved', what: (name) => `The note of the base image ${name}`, isWhole: isNote },
  { place: 'http', what: (name) => `The note of the fetched URL ${name}`, isWhole: isNote },
  {
    place: 'explain',
    isNested: true,
    what: (name, scope) => `The explanation ${scope}/${name}`,
    isWhole: (path) => isDigest(readExplanation(path)?.key ?? ''),
  },
  { place: 'copies', what: (name) => `The list of the copy ${name}`, isWhole: isCopyMemo },
  { place: 'contextIndex', what: (name) => `The index of the context ${name}`, isWhole: isIndexFile },
  { place: 'builds', what: (name) => `The record of build ${name}`, isWhole: isWholeBuild },
];

/** Yields the damaged records, notes and indexes. */
export async function* checkNotes(
  { store }: Pick<CheckedStore, 'store'>,
  signal: AbortSignal,
): AsyncGenerator<Damage, void> {
  for await (const { kind, directory, name } of withPauses(filesOf(store), signal)) {
    const path = join(store[kind.place], directory, name);
    if (!kind.isWhole(path) && isThere(path)) yield unreadable(kind.what(name, directory), path);
  }
  if (isThere(store.secretKey) && readSecretKey(store) === undefined)
    yield unreadable('The secret key', store.secretKey);
}

interface SmallFile {
  readonly kind: Kind;
  readonly directory: string;
  readonly name: string;
}

function* filesOf(store: StoreLayout): Generator<SmallFile, void> {
  for (const kind of KINDS)
    for (const directory of kind.isNested === true ? listDirectory(store[kind.place]) : [''])
      for (const name of listDirectory(join(store[kind.place], directory)).filter(isFinal))
        yield { kind, directory, name };
}

/** Temporary files of other processes have a dot in their names. */
function isFinal(name: string): boolean {
  return /^[\w-]+(\.selections)?$/.test(name);
}
