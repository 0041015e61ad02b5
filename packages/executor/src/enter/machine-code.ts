/** Writes the instructions of a straight-line program of system calls. */
export interface CodeWriter {
  /** Makes the call and keeps its result in the slot; unless it may fail, a failure leads to the end. */
  call(number: number, args: readonly number[], options: { slot: number; mayFail: boolean }): void;
  /** The end: writes all slots and exits. A multiple of eight bytes in all. */
  finish(end: { write: number; exit: number; reportTo: number; exitCode: number }): Uint8Array;
}

/** Slots are on the stack. Arguments are below 4 GiB, four at most. */
export function createX64Code(slots: number): CodeWriter {
  const bytes: number[] = [];
  const jumps: number[] = [];
  const immediate = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
  const set = (opcode: number, value: number): void => void bytes.push(opcode, ...immediate(value));
  const [EAX, EDI, ESI, EDX] = [0xb8, 0xbf, 0xbe, 0xba];
  const SYSCALL = [0x0f, 0x05];
  // sub rsp, the slots' size, keeping it aligned
  bytes.push(0x48, 0x81, 0xec, ...immediate(Math.ceil((slots * 4) / 16) * 16));
  return {
    call(number, [first = 0, second = 0, third = 0, fourth = 0], { slot, mayFail }) {
      set(EAX, number);
      set(EDI, first);
      set(ESI, second);
      set(EDX, third);
      // mov r10d, fourth
      bytes.push(0x41, 0xba, ...immediate(fourth));
      // mov [rsp + slot], eax
      bytes.push(...SYSCALL, 0x89, 0x84, 0x24, ...immediate(slot * 4));
      if (mayFail) return;
      // test eax, eax; js end
      bytes.push(0x85, 0xc0, 0x0f, 0x88, ...immediate(0));
      jumps.push(bytes.length);
    },
    finish({ write, exit, reportTo, exitCode }) {
      const end = bytes.length;
      for (const from of jumps) bytes.splice(from - 4, 4, ...immediate(end - from));
      set(EAX, write);
      set(EDI, reportTo);
      // mov rsi, rsp
      bytes.push(0x48, 0x89, 0xe6);
      set(EDX, slots * 4);
      bytes.push(...SYSCALL);
      set(EAX, exit);
      set(EDI, exitCode);
      bytes.push(...SYSCALL);
      while (bytes.length % 8 !== 0) bytes.push(0x90);
      return Uint8Array.from(bytes);
    },
  };
}

/** As {@link createX64Code}; every instruction is a word. */
export function createArm64Code(slots: number): CodeWriter {
  const words: number[] = [];
  const jumps: number[] = [];
  // movz xN, low half; movk xN, high half, lsl 16
  const set = (register: number, value: number): void =>
    void words.push(
      (0xd280_0000 | ((value & 0xffff) << 5) | register) >>> 0,
      (0xf2a0_0000 | ((value >>> 16) << 5) | register) >>> 0,
    );
  const SVC = 0xd400_0001;
  const NUMBER = 8;
  // sub sp, sp, the slots' size, keeping it aligned
  words.push((0xd100_03ff | ((Math.ceil((slots * 4) / 16) * 16) << 10)) >>> 0);
  return {
    call(number, [first = 0, second = 0, third = 0, fourth = 0], { slot, mayFail }) {
      set(NUMBER, number);
      set(0, first);
      set(1, second);
      set(2, third);
      set(3, fourth);
      // svc 0; str w0, [sp, slot]
      words.push(SVC, (0xb900_03e0 | (slot << 10)) >>> 0);
      if (mayFail) return;
      // tbnz w0, 31, end
      jumps.push(words.length);
      words.push(0);
    },
    finish({ write, exit, reportTo, exitCode }) {
      const end = words.length;
      for (const at of jumps) words[at] = (0x37f8_0000 | ((end - at) << 5)) >>> 0;
      set(NUMBER, write);
      set(0, reportTo);
      // mov x1, sp
      words.push(0x9100_03e1);
      set(2, slots * 4);
      words.push(SVC);
      set(NUMBER, exit);
      set(0, exitCode);
      words.push(SVC);
      // The stack pointer's word and these make an even number, or a nop does.
      if (words.length % 2 !== 0) words.push(0xd503_201f);
      return new Uint8Array(Uint32Array.from(words).buffer);
    },
  };
}
