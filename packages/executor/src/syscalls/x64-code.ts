import { type CodeWriter, SIGCHLD, stackSize } from './code-writer.ts';

/** sub rsp, size of the slots. */
const BEGIN = Uint8Array.of(0x48, 0x81, 0xec, 0, 0, 0, 0);
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
  const size = BEGIN.length + slots * (CALL.length + CHECK.length + FORK.length) + END.length;
  const { append, setUint32, end, bytes } = createCodeBuffer(size);
  const jumps: number[] = [];
  append(BEGIN);
  setUint32(3, stackSize(slots));
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
      jumps.push(end());
    },
    fork({ clone, wait, exit, exitCode }, slot) {
      writer.call(clone, [SIGCHLD], { slot, mayFail: false });
      const at = append(FORK);
      setUint32(at + FORK_PLACES.wait, wait);
      setUint32(at + FORK_PLACES.exitCode, exitCode);
      setUint32(at + FORK_PLACES.exit, exit);
    },
    finish({ write, exit, reportTo, exitCode }) {
      for (const from of jumps) setUint32(from - 4, end() - from);
      const at = append(END);
      setUint32(at + END_PLACES.write, write);
      setUint32(at + END_PLACES.reportTo, reportTo);
      setUint32(at + END_PLACES.size, slots * 4);
      setUint32(at + END_PLACES.exit, exit);
      setUint32(at + END_PLACES.exitCode, exitCode);
      return bytes.subarray(0, end());
    },
  };
  return writer;
}

function createCodeBuffer(size: number) {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let end = 0;
  return {
    bytes,
    end: (): number => end,
    append(code: Uint8Array): number {
      const at = end;
      bytes.set(code, at);
      end += code.length;
      return at;
    },
    setUint32: (at: number, value: number): void => view.setUint32(at, value, true),
  };
}

function bytesOf(...instructions: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(instructions.flat());
}
