import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { isWholeBuild } from '@tbuild/builds';
import { readExplanation } from '@tbuild/cache';
import { isIndexFile } from '@tbuild/context';
import { isCopyMemo } from '@tbuild/copy';
import { isDigest } from '@tbuild/oci';
import { listDirectory, readNote, readSecretKey } from '@tbuild/store';
import type { CheckedStore } from './checked-store.ts';
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

/** Yields the damaged records, notes and indexes. Temporary files of other processes have a dot in their names. */
export function* checkNotes({ store }: Pick<CheckedStore, 'store'>): Generator<Damage, void> {
  for (const { place, isNested = false, what, isWhole } of KINDS)
    for (const directory of isNested ? listDirectory(store[place]) : [''])
      for (const name of listDirectory(join(store[place], directory)).filter(isFinal)) {
        const path = join(store[place], directory, name);
        if (!isWhole(path) && isThere(path)) yield unreadable(what(name, directory), path);
      }
  if (isThere(store.secretKey) && readSecretKey(store) === undefined)
    yield unreadable('The secret key', store.secretKey);
}

function isFinal(name: string): boolean {
  return /^[\w-]+(\.selections)?$/.test(name);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
