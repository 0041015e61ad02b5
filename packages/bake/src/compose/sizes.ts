import { TbuildError } from '@tbuild/errors';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Returns the bytes of a size such as `64m`. @throws TbuildError BAKE_FILE */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?$/i.exec(text.trim());
  if (match === null)
    throw new TbuildError('BAKE_FILE', `Invalid size ${JSON.stringify(text)}`, {
      hint: 'Write a number of bytes, or one with a unit such as 64m',
    });
  const [, number = '0', unit = ''] = match;
  return Math.floor(Number(number) * 1024 ** 'bkmgtp'.indexOf(unit === '' ? 'b' : unit.toLowerCase()));
}

/** Returns a size with a unit and at most four digits, as Docker writes it. */
export function formatSize(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${Number(size.toPrecision(4))}${UNITS[unit]}`;
}
