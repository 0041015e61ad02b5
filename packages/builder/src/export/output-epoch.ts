import type { Exporter } from '@tbuild/exporter';
import type { LayerConsumer } from '@tbuild/layers';
import type { OutputSpec } from '@tbuild/spec';

/** Returns the `SOURCE_DATE_EPOCH` of an output in milliseconds: its own if it has one, else the build's. */
export function outputEpoch(output: OutputSpec, epoch: number | undefined): number | undefined {
  if (output.type === 'cacheonly' || output.epoch === undefined) return epoch;
  return output.epoch === 'none' ? undefined : output.epoch;
}

/** Returns what prepares the layers of an output while the build runs. */
export function consumersOf(
  { spec, exporters }: { readonly spec: OutputSpec; readonly exporters: readonly Exporter[] },
  epoch: number | undefined,
): readonly LayerConsumer[] {
  const own = outputEpoch(spec, epoch);
  return exporters.map((exporter) => ({
    compresses: exporter.compresses,
    ...(exporter.prepare === undefined
      ? {}
      : { prepare: async (pending, signal) => exporter.prepare?.(pending, own, signal) }),
  }));
}
