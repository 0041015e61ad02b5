import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { detachMount, mountTmpfs, openUnnamedFile, removeTree } from '@tbuild/linux';
import type { StoreLayout } from '@tbuild/store';
import { giveOwner } from '../copy/give-owner.ts';

/** Who a file belongs to and what may be done with it. */
export interface FileAccess {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A private directory for what one step needs outside of its tree. Disposing runs the clean-ups and removes it. */
export interface StepFiles extends AsyncDisposable {
  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array, access: FileAccess): string;
  /** Like `write`, but the content is in memory only. */
  writeSecret(content: Uint8Array, access: FileAccess): string;
  /** Makes an empty directory and returns its path. */
  directory(): string;
  onDispose(cleanUp: () => void | PromiseLike<void>): void;
}

/** Makes the directory among what running builds need. */
export function createStepFiles({ run: parent }: Pick<StoreLayout, 'run'>): StepFiles {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const directory = mkdtempSync(join(parent, 'files-'));
  const cleanUps: (() => void | PromiseLike<void>)[] = [];
  let memory: Memory | undefined;
  const makeDirectory = (): string => mkdtempSync(join(directory, 'd-'));
  return {
    write: (name, content, access) => writeWith(join(makeDirectory(), name), content, access),
    writeSecret(content, access) {
      memory ??= mountMemory(makeDirectory(), cleanUps);
      return memory.write(content, access);
    },
    directory: makeDirectory,
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

/** A place for files of which nothing remains, though this process is killed. */
interface Memory {
  write(content: Uint8Array, access: FileAccess): string;
}

/** Seen by this process and its steps alone, since the launcher made a mount namespace for them; gone with them. */
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

/** Where nothing can be mounted there is one place in memory that most containers have; a file without a name leaves it with us. */
function sharedMemory(cause: unknown, cleanUps: (() => void)[]): Memory {
  if (!existsSync(SHARED_MEMORY) || statfsSync(SHARED_MEMORY).type !== TMPFS_MAGIC) {
    throw new TbuildError(
      'UNSUPPORTED',
      `There is no place in memory for secrets: nothing can be mounted, and ${SHARED_MEMORY} is no tmpfs`,
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
