const BLOCK = 512;
/** Eleven octal digits. */
const MAX_OCTAL_SIZE = 0o77777777777;

/**
 * The header of a file or, with a name that ends in `/`, a directory in an archive of our own: short ASCII
 * names, owner root, no time. "ustar Interchange Format"; sizes above 8 GiB as GNU writes them.
 */
export function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const isDirectory = name.endsWith('/');
  if (Buffer.byteLength(name) > 100) throw new Error(`Archive member name ${name} is too long`);
  header.write(name, 0);
  header.write(isDirectory ? '0000755\0' : '0000644\0', 100);
  header.write('0000000\x000000000\0', 108);
  writeSize(header, size);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(isDirectory ? '5' : '0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** What follows a member of this size. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What ends an archive. */
export const tarEnd: Uint8Array = Buffer.alloc(2 * BLOCK);

function writeSize(header: Buffer, size: number): void {
  if (size <= MAX_OCTAL_SIZE) {
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    return;
  }
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(size), 128);
}
