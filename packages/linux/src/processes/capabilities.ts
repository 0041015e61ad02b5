import { readFileSync } from 'node:fs';

/** Returns the effective capabilities of this process, a bit for each number; undefined where /proc does not tell. */
export function effectiveCapabilities(): bigint | undefined {
  try {
    const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return mask === undefined ? undefined : BigInt(`0x${mask}`);
  } catch {
    return undefined;
  }
}
