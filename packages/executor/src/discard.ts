import { rmSync } from 'node:fs';

/** What a directory that is needed no more comes to where nobody has a better place for it. */
export function removeAll(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
