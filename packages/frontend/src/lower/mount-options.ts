import { suggest, type SourceRange } from '@tbuild/errors';
import { semanticError } from './lowering.ts';

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** The name and the location of an option. */
export interface OptionPlace {
  readonly name: string;
  readonly location: SourceRange;
}

/** Parses a boolean as Go does; undefined if the option is absent. */
export function readBoolean(value: string | undefined, { name, location }: OptionPlace): boolean | undefined {
  if (value === undefined) return undefined;
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw semanticError(`Mount option ${name}=${value} is neither true nor false`, location);
}

/** Parses an octal mode. */
export function readMode(value: string | undefined, location: SourceRange): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-7]+$/.test(value) && Number.parseInt(value, 8) <= 0xffff_ffff) return Number.parseInt(value, 8);
  throw semanticError(`Mount option mode=${value} is not an octal number`, location, 'Write for example mode=0600');
}

/** Parses a user or group number. */
export function readId(value: string | undefined, { name, location }: OptionPlace): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value) && Number(value) <= 0xffff_ffff) return Number(value);
  throw semanticError(`Mount option ${name}=${value} is not a number`, location, 'Names are not looked up here');
}

const SHARING = ['shared', 'private', 'locked'] as const;

/** Parses how concurrent steps share a cache. */
export function readSharing(value: string | undefined, location: SourceRange): (typeof SHARING)[number] {
  if (value === undefined) return 'shared';
  const found = SHARING.find((mode) => mode === value.toLowerCase());
  if (found !== undefined) return found;
  const near = suggest(value, SHARING);
  const hint = near === undefined ? 'Write shared, private or locked' : `Did you mean "${near}"?`;
  throw semanticError(`Mount option sharing=${value} is not known`, location, hint);
}

const UNITS = 'bkmgtp';

/** Parses a size like `64m`, `1.5g`, `2GiB`: units are powers of 1024. */
export function readSize(value: string | undefined, location: SourceRange): number | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i.exec(value.trim());
  if (match === null)
    throw semanticError(`Mount option size=${value} is not a size`, location, 'Write for example size=64m');
  const [, number = '', unit = 'b'] = match;
  return Math.floor(Number(number) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
}
