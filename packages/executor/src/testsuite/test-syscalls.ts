import { constants } from 'node:os';
import { DENIED_CALLS, JUDGED_CALLS, NEWEST_CALL, TRACING_CALLS } from '../seccomp/denied-calls.ts';
import { createArm64Code } from '../syscalls/arm64-code.ts';
import { elfExecutable } from '../syscalls/elf.ts';
import { createX64Code } from '../syscalls/x64-code.ts';

/** A system call by its name in the filter's tables, with numeric arguments. */
export type TriedCall = readonly [name: string, ...args: number[]];

/** A call that is newer than Docker's filter. */
const NEWER = { open_tree_attr: NEWEST_CALL + 1 };

const MACHINES = {
  x64: { elf: 62, interface: 'x86_64', createCode: createX64Code, write: 1, exit: 231 },
  arm64: { elf: 183, interface: 'aarch64', createCode: createArm64Code, write: 64, exit: 94 },
} as const;

/** Returns a program for this machine that makes the calls in order and writes their results to its output. */
export function syscallTestProgram(calls: readonly TriedCall[]): Uint8Array {
  const machine = MACHINES[process.arch === 'arm64' ? 'arm64' : 'x64'];
  const known: Readonly<Record<string, Readonly<Record<string, number>>>> = {
    ...DENIED_CALLS,
    ...TRACING_CALLS,
    ...JUDGED_CALLS,
  };
  const code = machine.createCode(calls.length);
  for (const [slot, [name, ...args]] of calls.entries()) {
    const number = name in NEWER ? NEWER.open_tree_attr : known[name]?.[machine.interface];
    if (number === undefined) throw new Error(`Unknown system call "${name}"`);
    code.call(number, args, { slot, mayFail: true });
  }
  const end = code.finish({ write: machine.write, exit: machine.exit, reportTo: 1, exitCode: 0 });
  return elfExecutable(machine.elf, new Uint8Array(), end);
}

/** Converts the output of such a program to errno names; `done` for a successful call. */
export function outcomes(report: Buffer): string[] {
  return Array.from({ length: report.length / 4 }, (_, index) => {
    const result = report.readInt32LE(index * 4);
    if (result >= 0) return 'done';
    return Object.entries(constants.errno).find(([, errno]) => errno === -result)?.[0] ?? String(result);
  });
}
