import type { Descriptor } from '@tbuild/oci';
import type { Provider } from './content-store.ts';

/** Calls {@link Provider.readBriefly}, or `read` where it is absent. */
export function readBriefly(
  from: Provider,
  target: Descriptor,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  return from.readBriefly?.(target, signal) ?? from.read(target, signal);
}
