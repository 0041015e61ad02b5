import type { UnpackLimits } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import { parseFields } from '../flags/fields.ts';
import { parseSize } from '../flags/sizes.ts';
import type { Environment } from './environment.ts';

/** More than any real layer has. */
const DEFAULTS = { size: 500e9, entries: 20_000_000 };
const OPTION = '--unpack-limits';

/**
 * Returns what unpacking an archive may take in a store. The option wins over the environment.
 * @throws TbuildError USAGE
 */
export function unpackLimits(
  text: string | undefined,
  root: string,
  variables: Environment['variables'],
): UnpackLimits {
  const { size, entries, free, ...others } = parseFields(text ?? variables.TBUILD_UNPACK_LIMITS ?? '', OPTION);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new TbuildError('USAGE', `Unknown ${JSON.stringify(unknown)} in ${OPTION}: expected size, entries or free`);
  return {
    size: size === undefined ? DEFAULTS.size : parseSize(size, OPTION),
    entries: entries === undefined ? DEFAULTS.entries : parseSize(entries, OPTION),
    free: free === undefined ? undefined : parseSize(free, OPTION),
    directory: root,
  };
}
