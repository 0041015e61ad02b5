import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { Step } from '@tbuild/graph';
import { detachMount, makeDirectory, mountTmpfs, openUnnamedFile, removeTree } from '@tbuild/linux';
import type { StoreLayout } from '@tbuild/store';
import { giveOwner } from './give-owner.ts';

/** Owner and mode of a file. */
export interface FileAccess {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A private directory for a step's files outside of its tree. Disposing runs the clean-ups and removes it. */
export interface StepFiles extends AsyncDisposable {
  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array, access: FileAccess): string;
  /** Writes a file that is kept in memory only. */
  writeSecret(content: Uint8Array, access: FileAccess): string;
  /** Creates an empty directory and returns its path. */
  directory(): string;
  onDispose(cleanUp: () => void | PromiseLike<void>): void;
}

/** A step while it runs: where its files are, and what stops it. */
export interface StepUnderway {
  readonly step: Step;
  readonly files: StepFiles;
  readonly signal: AbortSignal;
}

/** Creates the directory among those of running builds. */
export function createStepFiles({ run: parent }: Pick<StoreLayout, 'run'>): StepFiles {
  makeDirectory(parent, { mode: 0o700 });
  const directory = mkdtempSync(join(parent, 'files-'));
  const cleanUps: (() => void | PromiseLike<void>)[] = [];
  let memory: Memory | undefined;
  const newDirectory = (): string => mkdtempSync(join(directory, 'd-'));
  return {
    write: (name, content, access) => writeWith(join(newDirectory(), name), content, access),
    writeSecret(content, access) {
      memory ??= mountMemory(newDirectory(), cleanUps);
      return memory.write(content, access);
    },
    directory: newDirectory,
    onDispose: (cleanUp) => void cleanUps.push(cleanUp),
    async [Symbol.asyncDispose]() {
      for (const cleanUp of cleanUps.reverse()) await cleanUp();
      removeTree(directory);
    },
  };
}

function writeWith(path: string, content: string | Uint8Array, access: FileAccess): string {
  writeFileSync(path, content, { mode: 0o600 });
  return giveAccess(path, access);
}

function giveAccess(path: string, { mode, uid = 0, gid = 0 }: FileAccess): string {
  giveOwner(path, uid, gid);
  chmodSync(path, mode);
  return path;
}

/** A place for files in memory that does not outlive this process, even if it is killed. */
interface Memory {
  write(content: Uint8Array, access: FileAccess): string;
}

/** Mounts a tmpfs that only this process and its steps see, in the mount namespace that the launcher created. */
function mountMemory(path: string, cleanUps: (() => void)[]): Memory {
  try {
    mountTmpfs(path);
    cleanUps.push(() => detachMount(path));
    return { write: (content, access) => writeWith(join(mkdtempSync(join(path, 's-')), 'secret'), content, access) };
  } catch (cause) {
    return sharedMemory(cause, cleanUps);
  }
}

const SHARED_MEMORY = '/dev/shm';
const TMPFS_MAGIC = 0x0102_1994;

/**
 * Uses the tmpfs that most containers have, where nothing can be mounted. A file without a name disappears with this
 * process.
 */
function sharedMemory(cause: unknown, cleanUps: (() => void)[]): Memory {
  if (!existsSync(SHARED_MEMORY) || statfsSync(SHARED_MEMORY).type !== TMPFS_MAGIC) {
    throw new TbuildError(
      'UNSUPPORTED',
      `Cannot keep secrets in memory: mounting is not possible, and ${SHARED_MEMORY} is not a tmpfs`,
      { cause },
    );
  }
  return {
    write(content, access) {
      const file = openUnnamedFile(`${SHARED_MEMORY}/tbuild-${randomUUID()}`, content, 0o600);
      cleanUps.push(() => file[Symbol.dispose]());
      return giveAccess(`/proc/${process.pid}/fd/${file.fd}`, access);
    },
  };
}
