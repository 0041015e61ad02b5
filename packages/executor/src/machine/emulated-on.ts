import { readFileSync } from 'node:fs';

/** What kernels call the processors that steps can be isolated on. */
const KERNEL_NAMES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Returns the processor of the machine when it emulates that of this process, as in a container for another
 * architecture. Kernels before 6.1 do not tell.
 */
export function emulatedOn(): string | undefined {
  try {
    const name = readFileSync('/proc/sys/kernel/arch', 'utf8').trim();
    return name === KERNEL_NAMES[process.arch] ? undefined : name;
  } catch {
    return undefined;
  }
}
