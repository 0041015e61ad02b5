import { type CodeWriter, SIGCHLD, stackSize } from './code-writer.ts';

/** The same as `createX64Code`; every instruction is a word. */
export function createArm64Code(slots: number): CodeWriter {
  const words: number[] = [];
  const jumps: number[] = [];
  const set = (register: number, value: number): void => void words.push(...setRegister(register, value));
  // sub sp, sp, size of the slots
  words.push(0xd100_03ff | (stackSize(slots) << 10));
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
      words.push(...waitForChild({ wait, exit, exitCode }));
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

const SVC = 0xd400_0001;
/** The register of a call's number. */
const NUMBER = 8;

/** movz xN, low half; movk xN, high half, lsl 16. */
function setRegister(register: number, value: number): number[] {
  return [0xd280_0000 | ((value & 0xffff) << 5) | register, 0xf2a0_0000 | ((value >>> 16) << 5) | register];
}

/** After a fork: jumps over these instructions in the child; the parent waits and exits like the child. */
function waitForChild({ wait, exit, exitCode }: { wait: number; exit: number; exitCode: number }): number[] {
  return [
    // cbz w0, child
    0x3400_0000 | (25 << 5),
    // again:
    ...setRegister(NUMBER, wait),
    // movn x0, 0; mov x1, sp
    0x9280_0000,
    0x9100_03e1,
    ...setRegister(2, 0),
    ...setRegister(3, 0),
    // svc 0; cmn w0, EINTR; b.eq again
    SVC,
    0x3100_101f,
    0x5400_0000 | ((-10 & 0x7ffff) << 5),
    // tbnz w0, 31, lost; ldr w9, [sp]; ands w10, w9, 0x7f; b.ne killed
    0x37f8_0000 | (6 << 5),
    0xb940_03e9,
    0x7200_192a,
    0x5400_0001 | (6 << 5),
    // ubfx w0, w9, 8, 8; b leave
    0x5308_3d20,
    0x1400_0005,
    // lost:
    ...setRegister(0, exitCode),
    // b leave; killed: add w0, w10, 128
    0x1400_0002,
    0x1102_0140,
    // leave:
    ...setRegister(NUMBER, exit),
    SVC,
  ];
}
