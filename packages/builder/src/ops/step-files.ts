import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
  onDispose(cleanUp: () => void | PromiseLike<void>): void;
}

/** Makes the directory in `ROOT/run`. */
export function createStepFiles(root: string): StepFiles {
  const parent = join(root, 'run');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const directory = mkdtempSync(join(parent, 'files-'));
  const cleanUps: (() => void | PromiseLike<void>)[] = [];
  return {
    write(name, content, { mode, uid = 0, gid = 0 }) {
      const path = join(mkdtempSync(join(directory, 'f-')), name);
      writeFileSync(path, content, { mode: 0o600 });
      chownSync(path, uid, gid);
      chmodSync(path, mode);
      return path;
    },
    onDispose: (cleanUp) => void cleanUps.push(cleanUp),
    async [Symbol.asyncDispose]() {
      for (const cleanUp of cleanUps.reverse()) await cleanUp();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
