/** One instruction of classic BPF as seccomp(2) takes it; jumps skip that many instructions. */
export interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly value: number;
}

/** Offsets in `struct seccomp_data`; the arguments' lower halves, on little-endian machines. */
export const FIELD = { number: 0, architecture: 4, firstArgument: 16 } as const;

export const RETURN = {
  allow: 0x7fff_0000,
  killProcess: 0x8000_0000,
  /** The system call fails with this errno. */
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

/** Unsigned. */
export function ifAtLeast(value: number, then: readonly Instruction[]): readonly Instruction[] {
  return conditional(0x35, value, then);
}

/** Each instruction is eight bytes in the machine's order, which is little-endian wherever we run. */
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

/** A jump reaches 255 instructions; longer bodies are a mistake of the filter's author. */
function conditional(code: number, value: number, then: readonly Instruction[]): readonly Instruction[] {
  if (then.length > 255) throw new Error(`A jump over ${then.length} instructions does not fit`);
  return [{ code, ifTrue: 0, ifFalse: then.length, value }, ...then];
}
