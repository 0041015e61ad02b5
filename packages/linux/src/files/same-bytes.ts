import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK = 256 * 1024;

/** Returns whether two regular files have the same bytes. It compares them chunk by chunk. */
export function sameBytes(a: string, b: string): boolean {
  const [first, second] = [openSync(a, 'r'), openSync(b, 'r')];
  try {
    const [left, right] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
    for (;;) {
      const [m, n] = [readSync(first, left, 0, CHUNK, null), readSync(second, right, 0, CHUNK, null)];
      if (m !== n || !left.subarray(0, m).equals(right.subarray(0, n))) return false;
      if (m === 0) return true;
    }
  } finally {
    closeSync(first);
    closeSync(second);
  }
}
