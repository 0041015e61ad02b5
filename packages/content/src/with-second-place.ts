import type { Descriptor } from '@tbuild/oci';
import type { Provider } from './content-store.ts';

/**
 * Does work that reads a blob, and does it once more when it failed and the provider would read the blob elsewhere
 * than before. The work must leave nothing behind when it fails.
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
