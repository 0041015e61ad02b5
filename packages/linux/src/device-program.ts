/** A character device that processes may read and write. */
export interface AllowedDevice {
  readonly major: number;
  /** All devices of the major number when absent. */
  readonly minor?: number;
}

/** The registers: the result, the context, and the fields loaded from the context. */
const [RESULT, CONTEXT, TYPE, ACCESS, MAJOR, MINOR] = [0, 1, 2, 3, 4, 5];
const ACCESS_MKNOD = 1;
const TYPE_CHARACTER = 2;

/**
 * Returns the eBPF instructions, eight bytes each, that decide about one use of a device: 1 allows it. The context,
 * `struct bpf_cgroup_dev_ctx`, holds three 32-bit numbers: access (upper half) with type (lower half), major, minor.
 */
export function bpfProgram(allowed: readonly AllowedDevice[]): Uint8Array {
  return Buffer.concat([
    load(TYPE, 0),
    copy(ACCESS, TYPE),
    instruction(0x77, { register: ACCESS, value: 16 }), // shift right
    instruction(0x57, { register: TYPE, value: 0xffff }), // and
    load(MAJOR, 4),
    load(MINOR, 8),
    ...ifEqual(ACCESS, ACCESS_MKNOD, [answer(1)]),
    ...ifEqual(
      TYPE,
      TYPE_CHARACTER,
      allowed.flatMap(({ major, minor }) => allow(major, minor)),
    ),
    answer(0),
  ]);
}

function allow(major: number, minor: number | undefined): Buffer[] {
  return ifEqual(MAJOR, major, minor === undefined ? [answer(1)] : ifEqual(MINOR, minor, [answer(1)]));
}

/** Jumps over `then` unless the register has the value. */
function ifEqual(register: number, value: number, then: readonly Buffer[]): Buffer[] {
  const length = then.reduce((sum, { length: bytes }) => sum + bytes / 8, 0);
  return [instruction(0x55, { register, offset: length, value }), ...then];
}

function answer(value: number): Buffer {
  return Buffer.concat([instruction(0xb7, { register: RESULT, value }), instruction(0x95, {})]);
}

function load(register: number, offset: number): Buffer {
  return instruction(0x61, { register, source: CONTEXT, offset });
}

function copy(register: number, source: number): Buffer {
  return instruction(0xbf, { register, source });
}

/** `struct bpf_insn`. */
function instruction(
  code: number,
  {
    register = 0,
    source = 0,
    offset = 0,
    value = 0,
  }: { register?: number; source?: number; offset?: number; value?: number },
): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = code;
  bytes[1] = register | (source << 4);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(value, 4);
  return bytes;
}
