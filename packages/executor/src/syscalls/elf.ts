/** The address at which the whole file is mapped. */
const BASE = 0x40_0000;
const DATA_OFFSET = 64 + 56;

/** The address of the data, known before the code after it is written. */
export const DATA_ADDRESS = BASE + DATA_OFFSET;

/**
 * Returns a static ELF file for a little-endian 64-bit machine: header, one program header, data (a multiple of eight
 * bytes), code. It is mapped readable and executable at a fixed address below 4 GiB.
 */
export function elfExecutable(machine: number, data: Uint8Array, code: Uint8Array): Uint8Array {
  const size = DATA_OFFSET + data.length + code.length;
  const file = new DataView(new ArrayBuffer(size));
  writeHeader(file, machine, DATA_ADDRESS + data.length);
  writeProgramHeader(file, BigInt(size));
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
  file.setUint16(56, 1, true);
}

/** `Elf64_Phdr`: PT_LOAD, readable and executable, aligned for pages of up to 64 KiB. */
function writeProgramHeader(file: DataView, size: bigint): void {
  file.setUint32(64, 1, true);
  file.setUint32(68, 5, true);
  file.setBigUint64(80, BigInt(BASE), true);
  file.setBigUint64(88, BigInt(BASE), true);
  file.setBigUint64(96, size, true);
  file.setBigUint64(104, size, true);
  file.setBigUint64(112, 0x1_0000n, true);
}
