import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { Placement } from './placement.ts';

/** What scripts of packages read: how many processors there are, of which kind, and how much memory. */
const FILES = ['/proc/cpuinfo', '/proc/meminfo'];

/** Places copies of files of the machine's /proc in a step's, where nothing can be mounted. */
export function placeStaticProc(placement: Pick<Placement, 'place'>): void {
  for (const path of FILES) {
    const text = contentOf(path);
    if (text !== undefined) placement.place(path, 'file', (location) => writeCopy(location, text));
  }
}

function writeCopy(location: string, text: Buffer): undefined {
  writeFileSync(location, text);
  chmodSync(location, 0o444);
}

/** A container may hide them. */
function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
