import type { OutputSpec } from '@tbuild/spec';
import type { ExporterContext } from './exporter-context.ts';
import type { Exporter } from './exporter.ts';
import { imageStore } from './image-store.ts';

/**
 * Makes the exporters of one output, to be run in this order. The store alone is ready without loading the others.
 * @throws TbuildError for an output that cannot work here.
 */
export async function createExporters(output: OutputSpec, context: ExporterContext): Promise<readonly Exporter[]> {
  if (isPlainImage(output)) return [imageStore({ content: context.content, refs: context.refs })];
  const { exportersOf } = await import('./exporters-of.ts');
  return exportersOf(output, context);
}

/** Returns whether an output is just the image in the store, as the build made it. */
function isPlainImage({ type, ...options }: OutputSpec): boolean {
  return (
    type === 'image' &&
    Object.entries(options).every(
      ([name, value]) => name === 'names' || value === undefined || (name === 'push' && value === false),
    )
  );
}
