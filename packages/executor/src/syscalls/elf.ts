/**
 * The addresses at which the whole file is mapped: to execute the code, and to use the data, which qemu wants to be
 * writable where a system call could write.
 */
const CODE_BASE = 0x40_0000;
const DATA_BASE = 0x4000_0000;
const DATA_OFFSET = 64 + 2 * 56;

/** The address of the data, known before the code after it is written. */
export const DATA_ADDRESS = DATA_BASE + DATA_OFFSET;

/**
 * Returns a static ELF file for a little-endian 64-bit machine: header, two program headers, data (a multiple of eight
 * bytes), code. It is mapped at fixed addresses below 4 GiB, and nothing is both writable and executable.
 */
export function elfExecutable(machine: number, data: Uint8Array, code: Uint8Array): Uint8Array {
  const size = DATA_OFFSET + data.length + code.length;
  const file = new DataView(new ArrayBuffer(size));
  writeHeader(file, machine, CODE_BASE + DATA_OFFSET + data.length);
  writeProgramHeader(file, 64, { flags: READ | EXECUTE, base: CODE_BASE });
  writeProgramHeader(file, 64 + 56, { flags: READ | WRITE, base: DATA_BASE });
  const bytes = new Uint8Array(file.buffer);
  bytes.set(data, DATA_OFFSET);
  bytes.set(code, DATA_OFFSET + data.length);
  return bytes;
}

/** `Elf64_Ehdr`. */
function writeHeader(file: DataView, machine: number, entry: number): void {
  file.setUint32(0, 0x7f454c46);
  file.setUint32(4, 0x02010100);
  file.setUint16(16, 2, true);
  file.setUint16(18, machine, true);
  file.setUint32(20, 1, true);
  file.setBigUint64(24, BigInt(entry), true);
  file.setBigUint64(32, 64n, true);
  file.setUint16(52, 64, true);
  file.setUint16(54, 56, true);
  file.setUint16(56, 2, true);
}

const EXECUTE = 1;
const WRITE = 2;
const READ = 4;

interface Segment {
  readonly flags: number;
  readonly base: number;
}

/** `Elf64_Phdr`: PT_LOAD of the whole file, aligned for pages of up to 64 KiB. */
function writeProgramHeader(file: DataView, at: number, { flags, base }: Segment): void {
  const size = BigInt(file.byteLength);
  file.setUint32(at, 1, true);
  file.setUint32(at + 4, flags, true);
  file.setBigUint64(at + 16, BigInt(base), true);
  file.setBigUint64(at + 24, BigInt(base), true);
  file.setBigUint64(at + 32, size, true);
  file.setBigUint64(at + 40, size, true);
  file.setBigUint64(at + 48, 0x1_0000n, true);
}
