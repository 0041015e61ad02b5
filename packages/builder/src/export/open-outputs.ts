import type { Exporter } from '@tbuild/exporter';
import type { OutputSpec } from '@tbuild/spec';
import type { Services } from '../services.ts';

/** An output with its exporters, in the order in which they run. */
export interface OpenOutput {
  readonly spec: OutputSpec;
  readonly exporters: readonly Exporter[];
}

/**
 * Opens the outputs before anything is built.
 * @throws TbuildError for an output that cannot work.
 */
export async function openOutputs(
  outputs: readonly OutputSpec[],
  { createExporters }: Pick<Services, 'createExporters'>,
): Promise<readonly OpenOutput[]> {
  return Promise.all(outputs.map(async (spec) => ({ spec, exporters: await createExporters(spec) })));
}
