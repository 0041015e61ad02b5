/** Reads the data types of RFC 4251 one after the other. */
export interface WireReader {
  byte(): number;
  uint32(): number;
  string(): Buffer;
}

/** Opens a reader whose methods throw a RangeError when the bytes end too early. */
export function readWire(bytes: Buffer): WireReader {
  let at = 0;
  const uint32 = (): number => {
    const value = bytes.readUInt32BE(at);
    at += 4;
    return value;
  };
  return {
    byte: () => bytes.readUInt8(at++),
    uint32,
    string() {
      const length = uint32();
      if (length > bytes.length - at) throw new RangeError('A string is longer than what holds it');
      at += length;
      return bytes.subarray(at - length, at);
    },
  };
}

/** `string`. */
export function wireString(bytes: string | Uint8Array): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([wireUint32(content.length), content]);
}

/** `uint32`. */
export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** `mpint` of a positive number in big-endian bytes. */
export function wireNumber(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? new Uint8Array() : bytes.subarray(first);
  return wireString((digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits);
}
