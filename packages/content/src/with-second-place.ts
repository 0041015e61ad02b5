import type { Descriptor } from '@tbuild/oci';
import type { Provider } from './content-store.ts';

/**
 * Does work that reads a blob, and repeats it once if it fails and the provider would read from another source. Work that fails must
 * leave nothing behind.
 */
export async function withSecondPlace<T>(
  from: Provider,
  { digest }: Pick<Descriptor, 'digest'>,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted || from.hasSecondPlace?.(digest) !== true) throw error;
    return work();
  }
}
