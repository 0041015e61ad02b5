import { expect, test } from 'vitest';
import type { SyscallMachine } from '../syscalls/syscall-program.ts';
import { defaultFilter } from './default-filter.ts';
import { DENIED_CALLS, TRACING_CALLS } from './denied-calls.ts';
import { fakeIdsFilter } from './fake-ids-filter.ts';

const ALLOW = 'allow';
const KILL = 'kill';
const [EPERM, ENOSYS] = [1, 38];
const [X86_64, X86, AARCH64, ARM] = [0xc000003e, 0x40000003, 0xc00000b7, 0x40000028];

/** Interprets a filter as the kernel would: the five instructions that the filters consist of. */
function decide(program: Uint8Array, architecture: number, number: number, argument: number): string | number {
  const code = new DataView(program.buffer);
  const data = new Map([
    [0, number],
    [4, architecture],
    [16, argument],
  ]);
  let register = 0;
  for (let at = 0; ; at += 8) {
    const value = code.getUint32(at + 4, true);
    const jump = (taken: boolean): void => void (at += 8 * code.getUint8(at + (taken ? 2 : 3)));
    switch (code.getUint16(at, true)) {
      case 0x20:
        register = data.get(value) ?? Number.NaN;
        break;
      case 0x54:
        register = (register & value) >>> 0;
        break;
      case 0x15:
        jump(register === value);
        break;
      case 0x35:
        jump(register >= value);
        break;
      case 0x06:
        return value === 0x7fff0000 ? ALLOW : value === 0x80000000 ? KILL : value & 0xffff;
      default:
        throw new Error(`Unknown instruction at ${at}`);
    }
  }
}

const cases: [
  name: string,
  machine: SyscallMachine,
  architecture: number,
  call: number,
  argument: number,
  expected: string | number,
][] = [
  ['read', 'x64', X86_64, 0, 0, ALLOW],
  ['execve', 'x64', X86_64, 59, 0, ALLOW],
  ['mount', 'x64', X86_64, 165, 0, EPERM],
  ['keyctl', 'x64', X86_64, 250, 0, EPERM],
  ['chroot', 'x64', X86_64, 161, 0, ALLOW],
  ['ptrace', 'x64', X86_64, 101, 0, ALLOW],
  ['fork by clone', 'x64', X86_64, 56, 0x1200011, ALLOW],
  ['clone with CLONE_NEWUSER', 'x64', X86_64, 56, 0x10000011, EPERM],
  ['clone with CLONE_NEWNS', 'x64', X86_64, 56, 0x20011, EPERM],
  ['clone3', 'x64', X86_64, 435, 0, ENOSYS],
  ['unshare of CLONE_NEWNET', 'x64', X86_64, 272, 0x40000000, EPERM],
  ['personality: query', 'x64', X86_64, 135, 0xffffffff, ALLOW],
  ['personality: no randomisation', 'x64', X86_64, 135, 0x40000, EPERM],
  ['socket AF_INET', 'x64', X86_64, 41, 2, ALLOW],
  ['socket AF_NETLINK', 'x64', X86_64, 41, 16, ALLOW],
  ['socket AF_ALG', 'x64', X86_64, 41, 38, EPERM],
  ['socket AF_VSOCK', 'x64', X86_64, 41, 40, EPERM],
  ['removexattrat', 'x64', X86_64, 466, 0, ALLOW],
  ['a call of the future', 'x64', X86_64, 467, 0, ENOSYS],
  ['an x32 call', 'x64', X86_64, 0x40000000, 0, ENOSYS],
  ['32-bit mount', 'x64', X86, 21, 0, EPERM],
  ['32-bit read', 'x64', X86, 3, 0, ALLOW],
  ['another architecture', 'x64', AARCH64, 63, 0, KILL],
  ['arm64 mount', 'arm64', AARCH64, 40, 0, EPERM],
  ['arm64 read', 'arm64', AARCH64, 63, 0, ALLOW],
  ['arm64 clone', 'arm64', AARCH64, 220, 0x11, ALLOW],
  ['arm mount', 'arm64', ARM, 21, 0, EPERM],
  ['arm set_tls', 'arm64', ARM, 0x0f0005, 0, ALLOW],
];
test.each(cases)("defaultFilter decides as Docker's: %s", (_, machine, architecture, call, argument, expected) => {
  expect(decide(defaultFilter(machine), architecture, call, argument)).toBe(expected);
});

test.each<[name: string, machine: SyscallMachine, architecture: number, call: number, expected: string | number]>([
  ['chown', 'x64', X86_64, 92, 0],
  ['fchownat', 'x64', X86_64, 260, 0],
  ['setresuid', 'x64', X86_64, 117, 0],
  ['32-bit chown32', 'x64', X86, 212, 0],
  ['arm64 fchownat', 'arm64', AARCH64, 54, 0],
  ['arm64 setgroups', 'arm64', AARCH64, 159, 0],
  ['read', 'x64', X86_64, 0, ALLOW],
  ['arm64 read', 'arm64', AARCH64, 63, ALLOW],
])('fakeIdsFilter decides only about ids: %s', (_, machine, architecture, call, expected) => {
  expect(decide(fakeIdsFilter(machine), architecture, call, 0)).toBe(expected);
});

test.each<[name: string, machine: SyscallMachine, architecture: number, call: number]>([
  ['ptrace', 'x64', X86_64, 101],
  ['process_vm_readv', 'x64', X86_64, 310],
  ['process_vm_writev', 'x64', X86_64, 311],
  ['kcmp', 'x64', X86_64, 312],
  ['pidfd_getfd', 'x64', X86_64, 438],
  ['32-bit ptrace', 'x64', X86, 26],
  ['32-bit process_vm_writev', 'x64', X86, 348],
  ['arm64 ptrace', 'arm64', AARCH64, 117],
  ['arm64 process_vm_readv', 'arm64', AARCH64, 270],
  ['arm ptrace', 'arm64', ARM, 26],
  ['arm process_vm_readv', 'arm64', ARM, 376],
])('the filter with TRACING_CALLS refuses %s', (_, machine, architecture, call) => {
  const filter = defaultFilter(machine, { ...DENIED_CALLS, ...TRACING_CALLS });
  expect(decide(filter, architecture, call, 0)).toBe(EPERM);
});
