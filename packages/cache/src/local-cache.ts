import { randomBytes } from 'node:crypto';
import { linkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { resultId, stepKey } from '@tbuild/graph';
import { makeDirectory } from '@tbuild/linux';
import { hexOf, isDigest, type Digest } from '@tbuild/oci';
import { encodeNote, listDirectory, readNote, renameOver, touch, type Note } from '@tbuild/store';
import type { StepCache, StepRecord } from './step-cache.ts';

/**
 * Keeps records in a directory: one JSON file for each, named by the key and renamed when it is complete. Any number of processes may
 * use it at the same time. A file that is not a record of its key is a miss.
 */
export function createLocalCache(directory: string): StepCache {
  const pathOf = (key: Digest): string => join(directory, hexOf(key));
  return {
    async get(key) {
      return readRecord(pathOf(key), key);
    },
    async put(record, { replace = false } = {}) {
      const path = pathOf(record.key);
      const temporary = join(directory, `.${randomBytes(16).toString('hex')}`);
      makeDirectory(directory);
      try {
        writeFileSync(temporary, encodeNote(path, JSON.stringify(record)));
        const isWanted = replace || readRecord(path, record.key) === undefined;
        if (isWanted && place(temporary, path, replace)) return record;
        return readRecord(path, record.key) ?? record;
      } finally {
        rmSync(temporary, { force: true });
      }
    },
    touch: (key, at) => touch(pathOf(key), at),
    deleteUnused: (key, limit) =>
      deleteUnused(pathOf(key), limit, join(directory, `.${randomBytes(16).toString('hex')}`)),
    async *list() {
      for (const name of listDirectory(directory)) {
        const key = `sha256:${name}`;
        const path = join(directory, name);
        const record = isDigest(key) ? readRecord(path, key) : undefined;
        const usedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
        if (record !== undefined && usedAt !== undefined) yield { ...record, usedAt };
      }
    },
  };
}

/** Looks at the record's time after renaming it: an earlier touch shows, and a later one finds no record. */
function deleteUnused(path: string, limit: number, aside: string): boolean {
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return true;
    throw error;
  }
  const isUsed = statSync(aside).mtimeMs >= limit;
  if (isUsed) place(aside, path, false);
  rmSync(aside, { force: true, recursive: true });
  return !isUsed;
}

/** Gives the file its name, beside the one it has or instead. Returns false when another process was first. */
function place(temporary: string, path: string, replace: boolean): boolean {
  if (replace) {
    renameOver(temporary, path);
    return true;
  }
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (errnoName(error) !== 'EEXIST') throw error;
    if (readRecord(path, undefined) !== undefined) return false;
    renameOver(temporary, path);
  }
  return true;
}

function readRecord(path: string, key: Digest | undefined): StepRecord | undefined {
  const note = readNote(path);
  return note === undefined ? undefined : parseRecord(note, key);
}

function parseRecord({ key: named, result, parent, createdAt }: Note, key: Digest | undefined): StepRecord | undefined {
  if (typeof named !== 'string' || !isDigest(named) || (key !== undefined && named !== key)) return undefined;
  if (typeof result !== 'string' || !isDigest(result) || typeof createdAt !== 'number') return undefined;
  const hasParent = typeof parent === 'string' && isDigest(parent);
  return {
    key: stepKey(named),
    result: resultId(result),
    createdAt,
    ...(hasParent ? { parent: resultId(parent) } : {}),
  };
}
