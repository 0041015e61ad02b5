import { getHeapStatistics } from 'node:v8';
import type { UnpackLimits } from '@tbuild/diff';
import { TbuildError } from '@tbuild/errors';
import { parseFields } from '../flags/fields.ts';
import { parseSize } from '../flags/sizes.ts';
import type { Environment } from './environment.ts';

/** More than any real layer has. */
const DEFAULTS = { size: 500e9, entries: 20_000_000, memory: 500e6 };

/**
 * Returns what unpacking an archive may take in a store. The option wins over the environment.
 * @throws TbuildError USAGE
 */
export function unpackLimits(
  text: string | undefined,
  root: string,
  variables: Environment['variables'],
): UnpackLimits {
  const name = text === undefined ? 'TBUILD_UNPACK_LIMITS' : '--unpack-limits';
  const { size, entries, memory, free, ...others } = parseFields(text ?? variables.TBUILD_UNPACK_LIMITS ?? '', name);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new TbuildError(
      'USAGE',
      `Unknown ${JSON.stringify(unknown)} in ${name}: expected size, entries, memory or free`,
    );
  return {
    size: size === undefined ? DEFAULTS.size : parseSize(size, name),
    entries: entries === undefined ? DEFAULTS.entries : parseSize(entries, name),
    memory:
      memory === undefined
        ? Math.min(DEFAULTS.memory, getHeapStatistics().heap_size_limit / 4)
        : parseSize(memory, name),
    free: free === undefined ? undefined : parseSize(free, name),
    directory: root,
  };
}
