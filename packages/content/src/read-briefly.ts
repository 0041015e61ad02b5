import type { Descriptor } from '@tbuild/oci';
import type { Provider } from './content-store.ts';

/** {@link Provider.readBriefly} where there is that, or else `read`. */
export function readBriefly(
  from: Provider,
  target: Descriptor,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  return from.readBriefly?.(target, signal) ?? from.read(target, signal);
}
