/** A program of one architecture that only calls exit(0). */
export interface ExitProgram {
  /** The architecture's name in qemu. */
  readonly emulator: string;
  readonly bits: 32 | 64;
  readonly bigEndian?: boolean;
  /** `e_machine` and `e_flags` of its ELF header. */
  readonly machine: number;
  readonly flags?: number;
  /** Instructions, in hex. */
  readonly code: string;
}

/** By Go's names of architectures. */
export const exitPrograms = {
  '386': { emulator: 'i386', bits: 32, machine: 3, code: '31db b801000000 cd80' },
  amd64: { emulator: 'x86_64', bits: 64, machine: 62, code: '31ff b83c000000 0f05' },
  arm: { emulator: 'arm', bits: 32, machine: 40, flags: 0x05000000, code: '0000a0e3 0170a0e3 000000ef' },
  arm64: { emulator: 'aarch64', bits: 64, machine: 183, code: '000080d2 a80b80d2 010000d4' },
  loong64: { emulator: 'loongarch64', bits: 64, machine: 258, flags: 3, code: '04001500 0b748102 00002b00' },
  mips64le: { emulator: 'mips64el', bits: 64, machine: 8, flags: 0x80000007, code: 'c2130224 00000424 0c000000' },
  ppc64le: { emulator: 'ppc64le', bits: 64, machine: 21, flags: 2, code: '01000038 00006038 02000044' },
  riscv64: { emulator: 'riscv64', bits: 64, machine: 243, code: '13050000 9308d005 73000000' },
  s390x: { emulator: 's390x', bits: 64, bigEndian: true, machine: 22, code: 'a7290000 0a01' },
} as const satisfies Readonly<Record<string, ExitProgram>>;

const ADDRESS = 0x40_0000;

/** Encodes an ELF file: header, one program header that maps the whole file, code. */
export function encodeExitProgram({ bits, bigEndian = false, machine, flags = 0, code }: ExitProgram): Uint8Array {
  const instructions = Buffer.from(code.replaceAll(' ', ''), 'hex');
  const [headerSize, segmentSize] = bits === 64 ? [64, 56] : [52, 32];
  const start = headerSize + segmentSize;
  const fields = new FieldWriter(start + instructions.length, bits, !bigEndian);
  const { bytes } = fields;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, bigEndian ? 2 : 1, 1]);
  fields.at = 16;
  // Elf_Ehdr: an executable, its entry, the position of the program header, sizes.
  fields
    .half(2)
    .half(machine)
    .word(1)
    .address(ADDRESS + start)
    .address(headerSize)
    .address(0)
    .word(flags);
  fields.half(headerSize).half(segmentSize).half(1).half(0).half(0).half(0);
  // Elf_Phdr: PT_LOAD, readable and executable. The position of the flags differs between the classes.
  fields.word(1);
  if (bits === 64) fields.word(5);
  fields.address(0).address(ADDRESS).address(ADDRESS).address(bytes.length).address(bytes.length);
  if (bits === 32) fields.word(5);
  fields.address(0x1_0000);
  bytes.set(instructions, start);
  return bytes;
}

class FieldWriter {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #view: DataView;
  readonly #bits: 32 | 64;
  readonly #little: boolean;

  constructor(size: number, bits: 32 | 64, little: boolean) {
    this.#view = new DataView(new ArrayBuffer(size));
    this.bytes = new Uint8Array(this.#view.buffer);
    this.#bits = bits;
    this.#little = little;
  }

  half(value: number): this {
    this.#view.setUint16(this.at, value, this.#little);
    this.at += 2;
    return this;
  }

  word(value: number): this {
    this.#view.setUint32(this.at, value, this.#little);
    this.at += 4;
    return this;
  }

  address(value: number): this {
    if (this.#bits === 32) return this.word(value);
    this.#view.setBigUint64(this.at, BigInt(value), this.#little);
    this.at += 8;
    return this;
  }
}
