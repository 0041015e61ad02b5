/** Writes the instructions of a straight-line program of system calls. */
export interface CodeWriter {
  /** Makes the call and stores its result in the slot. A failure jumps to the end unless it is allowed. */
  call(number: number, args: readonly number[], options: { slot: number; mayFail: boolean }): void;
  /** The child continues; the parent waits for its end and exits like it. A failure jumps to the end. */
  fork(numbers: { clone: number; wait: number; exit: number; exitCode: number }, slot: number): void;
  /** Writes all slots and exits. Returns the whole code. */
  finish(end: { write: number; exit: number; reportTo: number; exitCode: number }): Uint8Array;
}

/** With zeros at {@link PLACES}. */
const CALL = bytesOf(
  [0xb8, 0, 0, 0, 0], // mov eax, number
  [0xbf, 0, 0, 0, 0], // mov edi, first
  [0xbe, 0, 0, 0, 0], // mov esi, second
  [0xba, 0, 0, 0, 0], // mov edx, third
  [0x41, 0xba, 0, 0, 0, 0], // mov r10d, fourth
  [0x41, 0xb8, 0, 0, 0, 0], // mov r8d, fifth
  [0x0f, 0x05], // syscall
  [0x89, 0x84, 0x24, 0, 0, 0, 0], // mov [rsp + slot], eax
);
const PLACES = { number: 1, first: 6, second: 11, third: 16, fourth: 22, fifth: 28, slot: 37 } as const;
const SIGCHLD = 17;
const FORK = bytesOf(
  [0x85, 0xc0], // test eax, eax
  [0x74, 70], // jz child
  [0xb8, 0, 0, 0, 0], // again: mov eax, wait
  [0xbf, 0xff, 0xff, 0xff, 0xff], // mov edi, -1
  [0x48, 0x89, 0xe6], // mov rsi, rsp
  [0x31, 0xd2], // xor edx, edx
  [0x45, 0x31, 0xd2], // xor r10d, r10d
  [0x0f, 0x05], // syscall
  [0x83, 0xf8, 0xfc], // cmp eax, -EINTR
  [0x74, -25 & 0xff], // je again
  [0x85, 0xc0], // test eax, eax
  [0x78, 21], // js lost
  [0x8b, 0x3c, 0x24], // mov edi, [rsp]
  [0x89, 0xf8], // mov eax, edi
  [0x83, 0xe0, 0x7f], // and eax, 0x7f
  [0x75, 18], // jnz killed
  [0xc1, 0xef, 0x08], // shr edi, 8
  [0x81, 0xe7, 0xff, 0, 0, 0], // and edi, 0xff
  [0xeb, 13], // jmp leave
  [0xbf, 0, 0, 0, 0], // lost: mov edi, exit code
  [0xeb, 6], // jmp leave
  [0x8d, 0xb8, 0x80, 0, 0, 0], // killed: lea edi, [rax + 128]
  [0xb8, 0, 0, 0, 0], // leave: mov eax, exit
  [0x0f, 0x05], // syscall
); // child:
const FORK_PLACES = { wait: 5, exitCode: 55, exit: 68 } as const;
const CHECK = Uint8Array.of(0x85, 0xc0, 0x0f, 0x88, 0, 0, 0, 0); // test eax, eax; js end
const END = bytesOf(
  [0xb8, 0, 0, 0, 0], // mov eax, write
  [0xbf, 0, 0, 0, 0], // mov edi, where to
  [0x48, 0x89, 0xe6], // mov rsi, rsp
  [0xba, 0, 0, 0, 0], // mov edx, size
  [0x0f, 0x05], // syscall
  [0xb8, 0, 0, 0, 0], // mov eax, exit
  [0xbf, 0, 0, 0, 0], // mov edi, exit code
  [0x0f, 0x05], // syscall
);
const END_PLACES = { write: 1, reportTo: 6, size: 14, exit: 21, exitCode: 26 } as const;

/**
 * Uses one slot per call, on the stack. There are at most five arguments, below 4 GiB; negative numbers are those of
 * an `int`.
 */
export function createX64Code(slots: number): CodeWriter {
  const begin = Uint8Array.of(0x48, 0x81, 0xec, 0, 0, 0, 0); // sub rsp, size of the slots
  const most = begin.length + slots * (CALL.length + CHECK.length) + FORK.length + END.length;
  const bytes = new Uint8Array(most);
  const view = new DataView(bytes.buffer);
  const setUint32 = (at: number, value: number): void => view.setUint32(at, value, true);
  const jumps: number[] = [];
  let end = 0;
  const append = (code: Uint8Array): number => {
    const at = end;
    bytes.set(code, at);
    end += code.length;
    return at;
  };
  append(begin);
  setUint32(3, roundUp(slots * 4, 16));
  const writer: CodeWriter = {
    call(number, [first = 0, second = 0, third = 0, fourth = 0, fifth = 0], { slot, mayFail }) {
      const at = append(CALL);
      setUint32(at + PLACES.number, number);
      setUint32(at + PLACES.first, first);
      setUint32(at + PLACES.second, second);
      setUint32(at + PLACES.third, third);
      setUint32(at + PLACES.fourth, fourth);
      setUint32(at + PLACES.fifth, fifth);
      setUint32(at + PLACES.slot, slot * 4);
      if (mayFail) return;
      append(CHECK);
      jumps.push(end);
    },
    fork({ clone, wait, exit, exitCode }, slot) {
      writer.call(clone, [SIGCHLD], { slot, mayFail: false });
      const at = append(FORK);
      setUint32(at + FORK_PLACES.wait, wait);
      setUint32(at + FORK_PLACES.exitCode, exitCode);
      setUint32(at + FORK_PLACES.exit, exit);
    },
    finish({ write, exit, reportTo, exitCode }) {
      for (const from of jumps) setUint32(from - 4, end - from);
      const at = append(END);
      setUint32(at + END_PLACES.write, write);
      setUint32(at + END_PLACES.reportTo, reportTo);
      setUint32(at + END_PLACES.size, slots * 4);
      setUint32(at + END_PLACES.exit, exit);
      setUint32(at + END_PLACES.exitCode, exitCode);
      return bytes.subarray(0, end);
    },
  };
  return writer;
}

/** The same as {@link createX64Code}; every instruction is a word. */
export function createArm64Code(slots: number): CodeWriter {
  const words: number[] = [];
  const jumps: number[] = [];
  // movz xN, low half; movk xN, high half, lsl 16
  const set = (register: number, value: number): void =>
    void words.push(0xd280_0000 | ((value & 0xffff) << 5) | register, 0xf2a0_0000 | ((value >>> 16) << 5) | register);
  const SVC = 0xd400_0001;
  const NUMBER = 8;
  // sub sp, sp, size of the slots
  words.push(0xd100_03ff | (roundUp(slots * 4, 16) << 10));
  const writer: CodeWriter = {
    call(number, [first = 0, second = 0, third = 0, fourth = 0, fifth = 0], { slot, mayFail }) {
      set(NUMBER, number);
      set(0, first);
      set(1, second);
      set(2, third);
      set(3, fourth);
      set(4, fifth);
      // svc 0; str w0, [sp, slot]
      words.push(SVC, 0xb900_03e0 | (slot << 10));
      if (mayFail) return;
      // tbnz w0, 31, end
      jumps.push(words.length);
      words.push(0);
    },
    fork({ clone, wait, exit, exitCode }, slot) {
      writer.call(clone, [SIGCHLD], { slot, mayFail: false });
      // cbz w0, child
      words.push(0x3400_0000 | (25 << 5));
      // again:
      set(NUMBER, wait);
      // movn x0, 0; mov x1, sp
      words.push(0x9280_0000, 0x9100_03e1);
      set(2, 0);
      set(3, 0);
      // svc 0; cmn w0, EINTR; b.eq again
      words.push(SVC, 0x3100_101f, 0x5400_0000 | ((-10 & 0x7ffff) << 5));
      // tbnz w0, 31, lost; ldr w9, [sp]; ands w10, w9, 0x7f; b.ne killed
      words.push(0x37f8_0000 | (6 << 5), 0xb940_03e9, 0x7200_192a, 0x5400_0001 | (6 << 5));
      // ubfx w0, w9, 8, 8; b leave
      words.push(0x5308_3d20, 0x1400_0005);
      // lost:
      set(0, exitCode);
      // b leave; killed: add w0, w10, 128
      words.push(0x1400_0002, 0x1102_0140);
      // leave:
      set(NUMBER, exit);
      words.push(SVC);
      // child:
    },
    finish({ write, exit, reportTo, exitCode }) {
      const end = words.length;
      for (const at of jumps) words[at] = 0x37f8_0000 | ((end - at) << 5);
      set(NUMBER, write);
      set(0, reportTo);
      // mov x1, sp
      words.push(0x9100_03e1);
      set(2, slots * 4);
      words.push(SVC);
      set(NUMBER, exit);
      set(0, exitCode);
      words.push(SVC);
      return new Uint8Array(Uint32Array.from(words).buffer);
    },
  };
  return writer;
}

function bytesOf(...instructions: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(instructions.flat());
}

function roundUp(size: number, unit: number): number {
  return Math.ceil(size / unit) * unit;
}
