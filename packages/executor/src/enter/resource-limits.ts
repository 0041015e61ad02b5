import type { ResourceLimit } from '../executor.ts';
import type { Syscall } from '../syscalls/syscall-program.ts';

/** RLIMIT_ numbers, the same on x64 and arm64. */
const NUMBERS: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};

/** Returns the calls that set limits. Raising a hard limit takes real root. */
export function limitCalls(limits: readonly ResourceLimit[]): Syscall[] {
  return limits.map(({ name, soft, hard }) => {
    const number = NUMBERS[name];
    if (number === undefined) throw new Error(`Unknown resource limit "${name}"`);
    return { name: 'setrlimit', args: [number, { numbers: [...halves(soft), ...halves(hard)] }], mayFail: false };
  });
}

/** Splits a 64-bit number into two of 32 bits, the lower one first; no limit is all ones. */
function halves(value: number): readonly [low: number, high: number] {
  return value < 0 ? [0xffff_ffff, 0xffff_ffff] : [value % 2 ** 32, Math.floor(value / 2 ** 32)];
}
