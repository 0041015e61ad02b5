import { readdirSync, readFileSync } from 'node:fs';
import { encodeExitProgram, type ExitProgram } from './exit-program.ts';

const DIRECTORY = '/proc/sys/fs/binfmt_misc';

/** The leading bytes of a header that identify a program: class, byte order, type, machine. */
const HEADER_BYTES = 20;
/** EI_OSABI, which is irrelevant here. */
const ABI_BYTE = 7;
/** e_type: position-independent programs have the next type. */
const TYPE_BYTE = 16;

/**
 * Returns the line that registers an emulator with binfmt_misc. `F`: the kernel opens the emulator at once, whatever
 * root a program is started in. `O` and `C`: set-user-ID programs get their owner's rights. `P`: a program keeps its
 * first argument.
 */
export function handlerRule(program: ExitProgram, emulator: string): string {
  const magic = encodeExitProgram(program).slice(0, HEADER_BYTES);
  const mask = new Uint8Array(HEADER_BYTES).fill(0xff);
  mask[ABI_BYTE] = 0;
  mask[TYPE_BYTE + (program.bigEndian === true ? 1 : 0)] = 0xfe;
  return `:tbuild-${program.emulator}:M::${escape(magic)}:${escape(mask)}:${emulator}:POCF`;
}

function escape(bytes: Uint8Array): string {
  return [...bytes].map((byte) => String.raw`\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/** Returns the emulator of this machine's enabled handler for a program, if the handler looks for it in each root. */
export function handlerOf(program: ExitProgram): string | undefined {
  const header = encodeExitProgram(program).slice(0, HEADER_BYTES);
  return entries()
    .map(parseHandler)
    .find((handler) => handler !== undefined && !handler.flags.includes('F') && matches(handler, header))?.interpreter;
}

function entries(): string[] {
  try {
    return readdirSync(DIRECTORY)
      .filter((name) => name !== 'register' && name !== 'status')
      .map((name) => readFileSync(`${DIRECTORY}/${name}`, 'utf8'));
  } catch {
    // Not mounted, or covered as in most containers.
    return [];
  }
}

interface Handler {
  readonly interpreter: string;
  readonly flags: string;
  readonly offset: number;
  readonly magic: Uint8Array;
  readonly mask?: Uint8Array;
}

/** Parses the kernel's description of a handler. Returns undefined for one that is disabled or matches by file name. */
export function parseHandler(text: string): Handler | undefined {
  const field = (name: string): string | undefined => new RegExp(`^${name}:? ?(.*)$`, 'm').exec(text)?.[1];
  const [interpreter, magic, mask] = [field('interpreter'), field('magic'), field('mask')];
  if (!text.startsWith('enabled\n') || interpreter === undefined || magic === undefined) return undefined;
  return {
    interpreter,
    flags: field('flags') ?? '',
    offset: Number(field('offset') ?? 0),
    magic: Buffer.from(magic, 'hex'),
    mask: mask === undefined ? undefined : Buffer.from(mask, 'hex'),
  };
}

function matches({ offset, magic, mask }: Handler, header: Uint8Array): boolean {
  return magic.every((byte, index) => {
    const bits = mask?.[index] ?? 0xff;
    return (byte & bits) === ((header[offset + index] ?? 0) & bits);
  });
}
