/** One instruction of classic BPF for seccomp(2). A jump skips that many instructions. */
export interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly value: number;
}

/** Offsets in `struct seccomp_data`. The argument is its lower half on little-endian machines. */
export const FIELD = { number: 0, architecture: 4, firstArgument: 16 } as const;

export const RETURN = {
  allow: 0x7fff_0000,
  killProcess: 0x8000_0000,
  /** Makes the system call fail with this errno. */
  error: (errno: number): number => 0x0005_0000 | errno,
} as const;

export function load(field: number): Instruction {
  return { code: 0x20, ifTrue: 0, ifFalse: 0, value: field };
}

export function and(mask: number): Instruction {
  return { code: 0x54, ifTrue: 0, ifFalse: 0, value: mask };
}

export function ret(action: number): Instruction {
  return { code: 0x06, ifTrue: 0, ifFalse: 0, value: action };
}

export function ifEqual(value: number, then: readonly Instruction[]): readonly Instruction[] {
  return conditional(0x15, value, then);
}

/** Compares unsigned numbers. */
export function ifAtLeast(value: number, then: readonly Instruction[]): readonly Instruction[] {
  return conditional(0x35, value, then);
}

/** Encodes each instruction in eight little-endian bytes. */
export function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(program.length * 8));
  program.forEach(({ code, ifTrue, ifFalse, value }, index) => {
    bytes.setUint16(index * 8, code, true);
    bytes.setUint8(index * 8 + 2, ifTrue);
    bytes.setUint8(index * 8 + 3, ifFalse);
    bytes.setUint32(index * 8 + 4, value >>> 0, true);
  });
  return new Uint8Array(bytes.buffer);
}

/** A jump reaches 255 instructions; a longer body is a programming error. */
function conditional(code: number, value: number, then: readonly Instruction[]): readonly Instruction[] {
  if (then.length > 255) throw new Error(`A jump over ${then.length} instructions does not fit`);
  return [{ code, ifTrue: 0, ifFalse: then.length, value }, ...then];
}
