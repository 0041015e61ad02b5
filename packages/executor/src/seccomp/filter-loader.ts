import type { FilterMachine } from './default-filter.ts';

/**
 * A program that loads a filter and executes its arguments, the first being an absolute path: an ELF file of
 * some kilobytes, put together here. `setpriv --seccomp-filter` does the same but sets no_new_privs, under which
 * sudo does not work and which Docker's builder does not set; whoever has SYS_ADMIN, as the set-up has, needs it not.
 * Exits with 125 when either fails.
 */
export function filterLoader(machine: FilterMachine, filter: Uint8Array): Uint8Array {
  const { elfMachine, code } = MACHINES[machine];
  const size = FILTER_OFFSET + filter.length;
  const file = new Uint8Array(size);
  file.set(elfHeader(elfMachine));
  file.set(programHeader(size), ELF_HEADER_SIZE);
  file.set(Buffer.from(code, 'hex'), CODE_OFFSET);
  file.set(filterDescription(filter.length / 8), CODE_OFFSET + CODE_SIZE);
  file.set(filter, FILTER_OFFSET);
  return file;
}

const ELF_HEADER_SIZE = 64;
const CODE_OFFSET = ELF_HEADER_SIZE + 56;
const CODE_SIZE = 64;
const FILTER_OFFSET = CODE_OFFSET + CODE_SIZE + 16;
/** Where the whole file is mapped. */
const ADDRESS = 0x40_0000n;

/** Assembled from the text beside it; `filter` is what follows the code. */
const MACHINES: Readonly<Record<FilterMachine, { elfMachine: number; code: string }>> = {
  x64: {
    elfMachine: 62,
    code: [
      'bf16000000', //     mov edi, PR_SET_SECCOMP
      'be02000000', //     mov esi, SECCOMP_MODE_FILTER
      '488d152f000000', // lea rdx, [rip+filter]
      'b89d000000', //     mov eax, SYS_prctl
      '0f05', //           syscall
      '85c0', //           test eax, eax
      '7518', //           jnz fail
      '488b0c24', //       mov rcx, [rsp]            argc
      '488d742410', //     lea rsi, [rsp+16]         argv + 1
      '488b3e', //         mov rdi, [rsi]
      '488d54cc10', //     lea rdx, [rsp+rcx*8+16]   envp
      'b83b000000', //     mov eax, SYS_execve
      '0f05', //           syscall
      'bf7d000000', // fail: mov edi, 125
      'b83c000000', //     mov eax, SYS_exit
      '0f05', //           syscall
    ].join(''),
  },
  arm64: {
    elfMachine: 183,
    code: [
      'c00280d2', // mov x0, PR_SET_SECCOMP
      '410080d2', // mov x1, SECCOMP_MODE_FILTER
      'c2010010', // adr x2, filter
      'e81480d2', // mov x8, SYS_prctl
      '010000d4', // svc 0
      'e00000b5', // cbnz x0, fail
      'e30340f9', // ldr x3, [sp]              argc
      'e1430091', // add x1, sp, 16            argv + 1
      '200040f9', // ldr x0, [x1]
      '220c038b', // add x2, x1, x3, lsl 3     envp
      'a81b80d2', // mov x8, SYS_execve
      '010000d4', // svc 0
      'a00f80d2', // fail: mov x0, 125
      'a80b80d2', // mov x8, SYS_exit
      '010000d4', // svc 0
      '1f2003d5', // nop
    ].join(''),
  },
};

/** `Elf64_Ehdr` of a little-endian executable with one program header. */
function elfHeader(machine: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(ELF_HEADER_SIZE));
  header.setUint32(0, 0x7f454c46);
  header.setUint32(4, 0x02010100);
  header.setUint16(16, 2, true);
  header.setUint16(18, machine, true);
  header.setUint32(20, 1, true);
  header.setBigUint64(24, ADDRESS + BigInt(CODE_OFFSET), true);
  header.setBigUint64(32, BigInt(ELF_HEADER_SIZE), true);
  header.setUint16(52, ELF_HEADER_SIZE, true);
  header.setUint16(54, 56, true);
  header.setUint16(56, 1, true);
  return new Uint8Array(header.buffer);
}

/** `Elf64_Phdr`: the file from its start, readable and executable; aligned for pages of 64 KiB. */
function programHeader(size: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(56));
  header.setUint32(0, 1, true);
  header.setUint32(4, 5, true);
  header.setBigUint64(16, ADDRESS, true);
  header.setBigUint64(24, ADDRESS, true);
  header.setBigUint64(32, BigInt(size), true);
  header.setBigUint64(40, BigInt(size), true);
  header.setBigUint64(48, 0x1_0000n, true);
  return new Uint8Array(header.buffer);
}

/** `struct sock_fprog`: how many instructions, and where. */
function filterDescription(length: number): Uint8Array {
  const description = new DataView(new ArrayBuffer(16));
  description.setUint16(0, length, true);
  description.setBigUint64(8, ADDRESS + BigInt(FILTER_OFFSET), true);
  return new Uint8Array(description.buffer);
}
