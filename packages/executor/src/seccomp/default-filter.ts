import type { SyscallMachine } from '../syscalls/syscall-program.ts';
import { and, encode, FIELD, ifAtLeast, ifEqual, type Instruction, load, ret, RETURN } from './bpf.ts';
import { ABSENT, type CallInterface, DENIED_CALLS, JUDGED_CALLS, NEWEST_CALL, type Numbers } from './denied-calls.ts';

/** The interfaces of a machine's kernel. */
export const INTERFACES: Readonly<Record<SyscallMachine, readonly CallInterface[]>> = {
  x64: ['x86_64', 'x86'],
  arm64: ['aarch64', 'arm'],
};

/** AUDIT_ARCH_* of <linux/audit.h>. */
export const ARCHITECTURES: Readonly<Record<CallInterface, number>> = {
  x86_64: 0xc000_003e,
  x86: 0x4000_0003,
  aarch64: 0xc000_00b7,
  arm: 0x4000_0028,
};

const EPERM = 1;
const ENOSYS = 38;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const NAMESPACE_FLAGS = 0x7e02_0000;

/** PER_LINUX and PER_LINUX32, both with UNAME26, and the query. */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** DECnet, Ash, Econet, IrDA, WANPIPE, ISDN, CAIF, ALG (the kernel’s crypto) and VSOCK (the hypervisor). */
const DENIED_FAMILIES = [12, 19, 20, 23, 25, 34, 37, 38, 40];
const NEWEST_FAMILY = 45;

/** Private calls of 32-bit arm: cacheflush, set_tls and the like. */
const ARM_PRIVATE = 0x0f_0000;

/**
 * Returns Docker's default filter for this machine. Docker's lists the allowed calls; this one lists the denied ones,
 * which decides the same for every call known when Docker's was written and is shorter. Newer calls do not exist
 * (ENOSYS), as in runc, so that programs fall back to older ones. `denied` calls fail with EPERM.
 */
export function defaultFilter(
  machine: SyscallMachine,
  denied: Readonly<Record<string, Numbers>> = DENIED_CALLS,
): Uint8Array {
  const sections = INTERFACES[machine].flatMap((name) => ifEqual(ARCHITECTURES[name], sectionOf(name, denied)));
  return encode([load(FIELD.architecture), ...sections, ret(RETURN.killProcess)]);
}

/** Every path through a section ends with a return. */
function sectionOf(name: CallInterface, calls: Readonly<Record<string, Numbers>>): readonly Instruction[] {
  const denied = Object.values(calls).map((numbers) => numbers[name]);
  return [
    load(FIELD.number),
    ...(name === 'arm' ? ifAtLeast(ARM_PRIVATE, [ret(RETURN.allow)]) : []),
    // This includes the x32 interface, whose numbers have a high bit set.
    ...ifAtLeast(NEWEST_CALL + 1, [ret(RETURN.error(ENOSYS))]),
    // Its flags are in memory, which a filter cannot read.
    ...ifEqual(JUDGED_CALLS.clone3[name], [ret(RETURN.error(ENOSYS))]),
    ...ifEqual(JUDGED_CALLS.clone[name], cloneRule()),
    ...ifEqual(JUDGED_CALLS.personality[name], personalityRule()),
    ...ifEqual(JUDGED_CALLS.socket[name], socketRule()),
    ...denied.filter((number) => number !== ABSENT).flatMap((number) => ifEqual(number, [ret(RETURN.error(EPERM))])),
    ret(RETURN.allow),
  ];
}

function cloneRule(): readonly Instruction[] {
  return [
    load(FIELD.firstArgument),
    and(NAMESPACE_FLAGS),
    ...ifEqual(0, [ret(RETURN.allow)]),
    ret(RETURN.error(EPERM)),
  ];
}

function personalityRule(): readonly Instruction[] {
  return [
    load(FIELD.firstArgument),
    ...PERSONALITIES.flatMap((value) => ifEqual(value, [ret(RETURN.allow)])),
    ret(RETURN.error(EPERM)),
  ];
}

function socketRule(): readonly Instruction[] {
  const refused = DENIED_FAMILIES.flatMap((family) => ifEqual(family, [ret(RETURN.error(EPERM))]));
  return [
    load(FIELD.firstArgument),
    ...ifAtLeast(NEWEST_FAMILY + 1, [ret(RETURN.error(EPERM))]),
    ...refused,
    ret(RETURN.allow),
  ];
}
