import { DENIED_CALLS } from '../seccomp/denied-calls.ts';

const EPERM = 1;
const ENOSYS = 38;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const NAMESPACE_FLAGS = [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];

/** The kernel's crypto and the hypervisor. */
const DENIED_FAMILIES = [38, 40];

/** Docker's default filter as a runtime takes it: what is refused, the same calls as in the program of our own. */
export function filterDocument(): object {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures:
      process.arch === 'arm64' ? ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'] : ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    syscalls: [
      refuse(Object.keys(DENIED_CALLS), EPERM),
      refuse(['clone3'], ENOSYS),
      ...NAMESPACE_FLAGS.map((flag) =>
        refuse(['clone'], EPERM, { index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }),
      ),
      ...DENIED_FAMILIES.map((family) => refuse(['socket'], EPERM, { index: 0, value: family, op: 'SCMP_CMP_EQ' })),
    ],
  };
}

function refuse(names: readonly string[], errnoRet: number, ...args: readonly object[]): object {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet, args };
}
