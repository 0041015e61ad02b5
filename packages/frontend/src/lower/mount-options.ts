import type { SourceRange } from '@tbuild/errors';
import { semanticError } from './lowering.ts';

const UNITS = 'bkmgtp';

/** Parses a size like `64m`, `1.5g`, `2GiB`: units are powers of 1024. */
export function readSize(value: string | undefined, location: SourceRange): number | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i.exec(value.trim());
  if (match === null) throw semanticError(`Invalid value for size: ${value}`, location, 'Write for example size=64m');
  const [, number = '', unit = 'b'] = match;
  return Math.floor(Number(number) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
}
